"""Draws the images that are measured."""

import hashlib
from typing import Protocol

import numpy as np

from gan.schedule import derived_seed
from pipeline.evaluation.labelled_images import LabelledImages
from pipeline.noise_field import noise_field
from pipeline.progress import Progress

__all__ = ["Draws", "draw_images", "draw_variants"]

DRAW_BATCH = 16
"""Labels per call of the translator."""


class Draws(Protocol):
    """What is measured: a `gan.translator.Translator`, or anything that draws as one does."""

    @property
    def needs_photos(self) -> bool: ...

    def translate(
        self,
        label_maps: np.ndarray,
        noise_fields: np.ndarray,
        photos: np.ndarray | None = None,
        renders: np.ndarray | None = None,
    ) -> np.ndarray: ...


def draw_images(
    translator: Draws,
    label_maps: np.ndarray,
    *,
    seed: int,
    variant: int = 0,
    correlation_px: float = 0,
    photos: np.ndarray | None = None,
    renders: np.ndarray | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """An image for each label; its noise follows from the label's content, the seed and the variant.

    Args:
        translator: what draws.
        label_maps: uint8 [N, H, W] of class ids.
        seed: of the noise.
        variant: other variants, other noise.
        correlation_px: of the noise.
        photos: uint8 [P, H, W, 3], for backgrounds; wanted when `translator.needs_photos`.
        renders: uint8 [N, H, W, 3], of the labels; None where labels are drawn from.
        progress: called with (images drawn, images in all).

    Returns:
        uint8 [N, H, W, 3] RGB.
    """
    pictures = [np.empty((0, *label_maps.shape[1:], 3), np.uint8)]
    for start in range(0, len(label_maps), DRAW_BATCH):
        batch = label_maps[start : start + DRAW_BATCH]
        keys = [hashlib.sha256(label_map.tobytes()).hexdigest() for label_map in batch]
        noise = [noise_field(key, seed, variant, batch.shape[1:], correlation_px) for key in keys]
        backgrounds = _backgrounds(photos, keys, seed, variant) if translator.needs_photos else None
        of_batch = None if renders is None else renders[start : start + DRAW_BATCH]
        pictures.append(translator.translate(batch, np.stack(noise), backgrounds, of_batch))
        if progress is not None:
            progress(start + len(batch), len(label_maps))
    return np.concatenate(pictures)


def draw_variants(
    translator: Draws,
    label_maps: np.ndarray,
    num_variants: int,
    *,
    seed: int,
    correlation_px: float = 0,
    photos: np.ndarray | None = None,
    renders: np.ndarray | None = None,
    progress: Progress | None = None,
) -> LabelledImages:
    """Several images for each label, with their labels: first variant 0 of all labels, then variant 1, ...

    The other arguments are those of `draw_images`.
    """
    total = num_variants * len(label_maps)
    drawn = []
    for variant in range(num_variants):

        def advance(done: int, _: int, before: int = variant * len(label_maps)) -> None:
            if progress is not None:
                progress(before + done, total)

        drawn.append(
            draw_images(
                translator,
                label_maps,
                seed=seed,
                variant=variant,
                correlation_px=correlation_px,
                photos=photos,
                renders=renders,
                progress=advance,
            )
        )
    return LabelledImages(np.concatenate(drawn), np.tile(label_maps, (num_variants, 1, 1)))


def _backgrounds(photos: np.ndarray | None, keys: list[str], seed: int, variant: int) -> np.ndarray:
    assert photos is not None and len(photos), "this translator pastes backgrounds from photographs"
    numbers = [derived_seed(seed, "evaluate_background", int(key[:8], 16), variant) for key in keys]
    return photos[[number % len(photos) for number in numbers]]
