"""VOC segmentation: JPEG images, palette PNGs of class numbers, lists of names."""

from collections.abc import Iterator

from manifests.exports.pictures import palette_png
from manifests.exports.sample import Export, Facts, Prepared, Sample

__all__ = ["Voc"]


class Voc:
    """JPEGImages/, SegmentationClass/ (palette PNG, 0 = no class, 255 = ignored), ImageSets/Segmentation/.

    Its readers want JPEG: images that are PNG are encoded anew, which loses a little. labelmap.txt names the
    classes in the order of their numbers.
    """

    def __init__(self, export: Export):
        self._export = export
        self._colors = export.classes.index_colors

    def prepare(self, sample: Sample) -> None:
        name = sample.record.sample_id
        self._export.put_image(sample, f"JPEGImages/{name}", ".jpg")
        self._export.write(f"SegmentationClass/{name}.png", palette_png(sample.index_map, self._colors))

    def finish(self, prepared: Iterator[Prepared], facts: Facts) -> None:
        names: dict[str, list[str]] = {split: [] for split in self._export.num_rows}
        for sample in prepared:
            names[sample.record.split].append(sample.record.sample_id)
        if {"train", "val"} <= names.keys():
            names["trainval"] = sorted(names["train"] + names["val"])
        for split, of_split in names.items():
            text = "".join(f"{name}\n" for name in of_split)
            self._export.write(f"ImageSets/Segmentation/{split}.txt", text.encode())
        classes = self._export.classes
        lines = [
            f"{name}:{','.join(map(str, color))}::\n"
            for name, color in zip((classes.none_name, *classes.names), classes.colors, strict=True)
        ]
        self._export.write("labelmap.txt", "".join(lines).encode())
