"""Stage: write what the generator is conditioned on as files, for people to look at."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from gan.config import NoiseConfig
from manifests.schema import SampleRecord
from pipeline.config import SourcesConfig
from pipeline.images import encode_label_png, encode_png, read_label, write_file
from pipeline.palette import Palette
from pipeline.preprocess import attention_mask, condition, noise_field, noise_table

__all__ = ["preprocess_to"]


def preprocess_to(
    out: Path,
    records: Sequence[SampleRecord],
    label_paths: Mapping[str, Path],
    palette: Palette,
    noise: NoiseConfig,
    *,
    sources: SourcesConfig | None = None,
    seed: int = 0,
    variant: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write `label_maps/`, `attention_masks/` and `conditioning/`, each as <set>/<path in the set>.png.

    The noise is that of generation with the same seed and variant at the label's own size.

    Args:
        out: folder, made where it is missing.
        records: labels as `prepare` found them.
        label_paths: source sha256 -> where that label lies.
        palette: of the labels.
        noise: what to add.
        sources: how labels are read; None = as by default.
        seed: of the noise.
        variant: of the noise.
        progress: called with (labels done, labels in all).

    Raises:
        ValueError: the noise confuses classes.
        BadImageError: a label cannot be read any more.
        DiskFullError: the files do not fit.
    """
    table = noise_table(palette, noise)
    reading = sources or SourcesConfig()

    def write(record: SampleRecord) -> None:
        label_map = read_label(
            label_paths[record.source_sha256],
            palette,
            max_megapixels=reading.max_megapixels,
            antialiased_edges=reading.antialiased_edges,
        )
        field = noise_field(record.source_sha256, seed, variant, label_map.shape, noise.correlation_px)
        name = PurePosixPath(record.source_set, record.source_label).with_suffix(".png")
        write_file(out / "label_maps" / name, encode_label_png(label_map, palette))
        write_file(
            out / "attention_masks" / name, encode_png(attention_mask(label_map, palette.is_background))
        )
        write_file(out / "conditioning" / name, encode_png(condition(label_map, field, table)))

    with ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="preprocess") as pool:
        for done, _ in enumerate(pool.map(write, records), start=1):
            if progress is not None:
                progress(done, len(records))
