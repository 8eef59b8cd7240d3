"""Is a generated image a copy of a training photograph, and do the variants of a label differ?

Shapes: N images, D features.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.evaluation.judge import Judge
from pipeline.evaluation.results import Copying, Diversity

__all__ = ["copying_of", "diversity_of", "nearest"]

GRID = 4
"""Features keep their place on a grid of this many cells along each side: a copy has them in place."""


def copying_of(
    judge: Judge,
    images: np.ndarray,
    train_photos: np.ndarray,
    test_photos: np.ndarray,
    *,
    label_names: Sequence[str],
    photo_names: Sequence[str],
) -> Copying:
    """Look for copies.

    Args:
        judge: whose features measure.
        images: uint8 [N, H, W, 3], generated.
        train_photos: uint8 [P, H, W, 3], what the generator learned from.
        test_photos: uint8 [Q, H, W, 3], what it did not see; may be empty.
        label_names: of each generated image.
        photo_names: of each training photograph.
    """
    photos = judge.features(train_photos, grid=GRID)
    mirrored = judge.features(train_photos[:, :, ::-1], grid=GRID)
    distance, index = _nearest_of_both(judge.features(images, grid=GRID), photos, mirrored)
    if len(test_photos):
        expected, _ = _nearest_of_both(judge.features(test_photos, grid=GRID), photos, mirrored)
    else:
        expected, _ = nearest(photos, photos, without_itself=True)
    median = float(np.median(expected))
    closest = int(distance.argmin())
    return Copying(
        ratio=float(np.median(distance)) / median if median > 0 else None,
        smallest_ratio=float(distance[closest]) / median if median > 0 else None,
        reference="held-out photographs" if len(test_photos) else "training photographs",
        closest_label=label_names[closest],
        closest_photo=photo_names[index[closest]],
    )


def diversity_of(judge: Judge, images: np.ndarray, num_variants: int) -> Diversity | None:
    """Compare variant 0 of each label with its others; None where there is only one, or only one label.

    Args:
        judge: whose features measure.
        images: uint8 [V * N, H, W, 3]: first variant 0 of all labels, then variant 1, ...
        num_variants: V.
    """
    num_labels = len(images) // num_variants
    if num_variants < 2 or num_labels < 2:
        return None
    features = judge.features(images, grid=GRID).reshape(num_variants, num_labels, -1)
    pixels = images.reshape(num_variants, num_labels, -1)
    first = pixels[0].astype(np.int16)
    apart = [float(np.abs(variant - first).mean()) / 255 for variant in pixels[1:]]
    other_label = np.roll(features[0], 1, axis=0)
    return Diversity(
        l1=float(np.mean(apart)),
        features=float(np.linalg.norm(features[1:] - features[0], axis=-1).mean()),
        between_labels=float(np.linalg.norm(other_label - features[0], axis=-1).mean()),
    )


def nearest(
    one: np.ndarray, other: np.ndarray, *, without_itself: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Distance to, and index of, the nearest of other features: float [N, D], [M, D] -> float [N], int [N].

    With `without_itself` both are one set, and row i may not answer i.
    """
    squares = np.square(one).sum(1)[:, None] + np.square(other).sum(1)[None] - 2 * one @ other.T
    if without_itself:
        np.fill_diagonal(squares, np.inf)
    index = squares.argmin(1)
    # The squares above are differences of large numbers: a copy would not have distance 0.
    return np.linalg.norm(one - other[index], axis=1), index


def _nearest_of_both(
    one: np.ndarray, photos: np.ndarray, mirrored: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    distance, index = nearest(one, np.concatenate([photos, mirrored]))
    return distance, index % len(photos)
