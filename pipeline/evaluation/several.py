"""Scores of several judges as one: means, and how far the judges lie apart.

Judges of one kind differ in their seed alone. How far their scores lie apart is what a judge adds to a score;
a difference between two results that is not clearly more than that says nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.evaluation.scores import Scores

__all__ = ["MeanScores", "mean_and_sd", "mean_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanScores:
    """`Scores` of several judges: means, and sample standard deviations over the judges (`_sd`), which are
    None for one judge."""

    num_images: int
    pixel_accuracy: float
    pixel_accuracy_sd: float | None
    miou: float
    miou_sd: float | None
    iou: dict[str, float | None]
    """Class -> mean; None for a class that no label holds."""
    iou_sd: dict[str, float | None]


def mean_of(scores: Sequence[Scores]) -> MeanScores:
    """One score from those of each judge on the same images."""
    pixel_accuracy, pixel_accuracy_sd = mean_and_sd([each.pixel_accuracy for each in scores])
    miou, miou_sd = mean_and_sd([each.miou for each in scores])
    iou = {name: mean_and_sd([each.iou[name] for each in scores]) for name in scores[0].iou}
    return MeanScores(
        num_images=scores[0].num_images,
        pixel_accuracy=pixel_accuracy,
        pixel_accuracy_sd=pixel_accuracy_sd,
        miou=miou,
        miou_sd=miou_sd,
        iou={name: mean for name, (mean, _) in iou.items()},
        iou_sd={name: sd for name, (_, sd) in iou.items()},
    )


def mean_and_sd(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    """Mean and sample standard deviation of the values that are there; None for a mean of none, and for a
    deviation of less than two."""
    there = [value for value in values if value is not None]
    mean = float(np.mean(there)) if there else None
    return mean, float(np.std(there, ddof=1)) if len(there) > 1 else None
