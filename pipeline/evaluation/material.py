"""The labels and photographs of an evaluation, read at the size at which judges see them."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from manifests.schema import SampleRecord
from pipeline.config import ConfigError, RunConfig
from pipeline.evaluation.labelled_images import LabelledImages
from pipeline.evaluation.parts import Pair, Parts
from pipeline.geometry import CENTERED, view
from pipeline.images import read_image, read_label
from pipeline.prepare import Prepared

__all__ = ["Material", "judged_size", "read_material"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Everything that an evaluation looks at, beside the generated images; one size, in memory."""

    train_labels: np.ndarray
    """uint8 [N, H, W] of class ids; so is `test_labels`."""
    test_labels: np.ndarray
    train_renders: np.ndarray | None
    """uint8 [N, H, W, 3], of `train_labels`; so is `test_renders`. None where labels are drawn from."""
    test_renders: np.ndarray | None
    train_pairs: LabelledImages
    test_pairs: LabelledImages
    train_photos: np.ndarray
    """uint8 [N, H, W, 3]; so is `test_photos`."""
    test_photos: np.ndarray


def judged_size(config: RunConfig) -> tuple[int, int]:
    """Width and height of the images that judges see.

    Raises:
        ConfigError: the generator draws images of one size only, and this is another.
    """
    train, evaluate = config.train, config.evaluate
    width, height = evaluate.width or train.width, evaluate.height or train.height
    if train.only_size not in (None, (height, width)):
        raise ConfigError(
            f"evaluate.width and height want images of {width} x {height} px, but a full UGATIT draws only "
            f"its training crop, {train.width} x {train.height} px; leave them out, or train with "
            "ugatit.light true."
        )
    return width, height


def read_material(config: RunConfig, parts: Parts, prepared: Prepared) -> Material:
    """Read and crop every file, centered.

    Args:
        config: the run.
        parts: what to read.
        prepared: where it lies.

    Raises:
        BadImageError: a file cannot be read any more.
    """
    palette = config.read_palette()
    width, height = judged_size(config)
    sources = config.sources

    def label_map(label: SampleRecord) -> np.ndarray:
        image = read_label(
            prepared.label_paths[label.source_sha256],
            palette,
            max_megapixels=sources.max_megapixels,
            antialiased_edges=sources.antialiased_edges,
        )
        return view(image, CENTERED, width=width, height=height)

    def photo(path: Path) -> np.ndarray:
        image = read_image(path, max_megapixels=sources.max_megapixels)
        return view(image, CENTERED, width=width, height=height)

    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="evaluate") as pool:

        def read(items: Iterable[Any], one: Callable[[Any], np.ndarray], *channels: int) -> np.ndarray:
            found = list(pool.map(one, items))
            return np.stack(found) if found else np.empty((0, height, width, *channels), np.uint8)

        def read_pairs(pairs: tuple[Pair, ...]) -> LabelledImages:
            return LabelledImages(
                read([pair.photo.path for pair in pairs], photo, 3),
                read([pair.label for pair in pairs], label_map),
            )

        def read_renders(labels: tuple[SampleRecord, ...]) -> np.ndarray | None:
            if not prepared.render_paths:
                return None
            return read([prepared.render_paths[label.source_sha256] for label in labels], photo, 3)

        return Material(
            train_labels=read(parts.train_labels, label_map),
            test_labels=read(parts.test_labels, label_map),
            train_renders=read_renders(parts.train_labels),
            test_renders=read_renders(parts.test_labels),
            train_pairs=read_pairs(parts.train_pairs),
            test_pairs=read_pairs(parts.test_pairs),
            train_photos=read(parts.train_photos, photo, 3),
            test_photos=read(parts.test_photos, photo, 3),
        )
