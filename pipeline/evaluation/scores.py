"""How well a class map agrees with a label: pixel accuracy and intersection over union."""

from dataclasses import dataclass

import numpy as np

from pipeline.palette import Palette

__all__ = ["Scores", "score"]


@dataclass(frozen=True, slots=True)
class Scores:
    """Agreement of class maps with labels, counted over all pixels of all images together."""

    num_images: int
    pixel_accuracy: float
    """Share of labelled pixels whose class is right."""
    miou: float
    """Mean of `iou` over the classes that the labels hold."""
    iou: dict[str, float | None]
    """Class -> intersection over union; None for a class that no label holds. Without ignored classes."""


def score(answers: np.ndarray, label_maps: np.ndarray, palette: Palette) -> Scores:
    """Compare class maps with labels; pixels whose label is an ignored class do not count.

    Args:
        answers: uint8 [N, H, W] of class ids.
        label_maps: uint8 [N, H, W] of class ids.
        palette: of both.
    """
    num_classes = palette.num_classes
    counted = ~palette.is_ignored[label_maps]
    pairs = label_maps[counted].astype(np.int64) * num_classes + answers[counted]
    confusion = np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)
    right = np.diag(confusion)
    wanted, answered = confusion.sum(1), confusion.sum(0)
    iou = {
        name: float(right[index] / (wanted[index] + answered[index] - right[index]))
        if wanted[index]
        else None
        for index, name in enumerate(palette.names)
        if not palette.is_ignored[index]
    }
    held = [value for value in iou.values() if value is not None]
    return Scores(
        num_images=len(label_maps),
        pixel_accuracy=float(right.sum() / max(1, confusion.sum())),
        miou=float(np.mean(held)) if held else 0.0,
        iou=iou,
    )
