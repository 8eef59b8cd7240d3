"""Stage: write what the generator is conditioned on as files, for people to look at."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import numpy as np

from manifests.schema import SampleRecord
from pipeline.config import ConfigError, RunConfig
from pipeline.images import encode_label_png, encode_png, read_image, read_label, write_file
from pipeline.prepare import Prepared
from pipeline.preprocess import attention_mask, condition, noise_field, noise_table

__all__ = ["preprocess_to"]

FIRST_VARIANT = 0


def preprocess_to(
    out: Path,
    prepared: Prepared,
    config: RunConfig,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write `label_maps/`, `attention_masks/` and `conditioning/`, each as <set>/<path in the set>.png.

    Conditioning images are labels in their colours, or their renders where the run translates those. The
    noise is that of the first variant that the config generates, at the label's own size.

    Args:
        out: folder, made where it is missing.
        prepared: the labels, and their renders.
        config: the run: palette, noise, and the seed of `generate`.
        progress: called with (labels done, labels in all).

    Raises:
        ConfigError: the noise confuses classes.
        BadImageError: a label or render cannot be read any more.
        DiskFullError: the files do not fit.
    """
    palette, noise = config.read_palette(), config.color_noise
    try:
        table = noise_table(palette, noise)
    except ValueError as error:
        raise ConfigError(f"{error}.") from None

    def write(record: SampleRecord) -> None:
        label_map = read_label(
            prepared.label_paths[record.source_sha256],
            palette,
            max_megapixels=config.sources.max_megapixels,
            antialiased_edges=config.sources.antialiased_edges,
        )
        mask = attention_mask(label_map, palette.is_background)
        field = noise_field(
            record.source_sha256,
            config.generate.seed,
            FIRST_VARIANT,
            label_map.shape,
            noise.correlation_px,
        )
        if record.render_sha256 is None:
            conditioning = condition(label_map, field, table)
        else:
            path = prepared.render_paths[record.source_sha256]
            conditioning = _noised_render(path, field, config)
        name = PurePosixPath(record.source_set, record.source_label).with_suffix(".png")
        write_file(out / "label_maps" / name, encode_label_png(label_map, palette))
        write_file(out / "attention_masks" / name, encode_png(mask))
        write_file(out / "conditioning" / name, encode_png(conditioning))

    total = len(prepared.records)
    if progress is not None:
        progress(0, total)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="preprocess") as pool:
        for done, _ in enumerate(pool.map(write, prepared.records), start=1):
            if progress is not None:
                progress(done, total)


def _noised_render(path: Path, field: np.ndarray, config: RunConfig) -> np.ndarray:
    """uint8 [H, W, 3], as the generator sees it."""
    import torch

    from gan.conditioning import as_level
    from gan.data import from_uint8, to_uint8
    from gan.noise import noise_rgb

    render, levels = read_image(path, max_megapixels=config.sources.max_megapixels), torch.from_numpy(field)
    image_a = from_uint8(torch.from_numpy(render)[None])
    return to_uint8(noise_rgb(image_a, as_level(levels[None]), config.noise))[0].numpy()
