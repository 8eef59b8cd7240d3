"""The layout of the CycleGAN family: labels in colours as domain A, generated images as domain B."""

from collections.abc import Iterator

from manifests.exports.pictures import encode_png
from manifests.exports.sample import Export, Facts, Prepared, Sample

__all__ = ["CycleGan"]


class CycleGan:
    """<split>A/ with labels in the palette's colours, <split>B/ with images; equal stems belong together."""

    def __init__(self, export: Export):
        self._export = export
        self._colors = export.classes.id_colors

    def prepare(self, sample: Sample) -> None:
        record = sample.record
        picture = encode_png(self._colors.take(sample.label_map, axis=0))
        self._export.write(f"{record.split}A/{record.sample_id}.png", picture)
        self._export.put_image(sample, f"{record.split}B/{record.sample_id}")

    def finish(self, prepared: Iterator[Prepared], facts: Facts) -> None:
        for _ in prepared:
            pass
