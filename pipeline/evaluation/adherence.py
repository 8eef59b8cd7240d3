"""Adherence: whether a generated image shows what its label says, where it says it."""

import numpy as np

from pipeline.evaluation.drawing import Draws, draw_images
from pipeline.evaluation.judge import Judge
from pipeline.evaluation.scores import Scores, score
from pipeline.palette import Palette

__all__ = ["adherence_of"]


def adherence_of(
    translator: Draws,
    judge: Judge,
    label_maps: np.ndarray,
    palette: Palette,
    *,
    seed: int = 0,
    correlation_px: float = 0,
    photos: np.ndarray | None = None,
    renders: np.ndarray | None = None,
) -> Scores:
    """Draw an image for each label and compare what the judge reads from it with the label.

    The judge learned from other labels than these; a training calls this with one judge again and again. The
    other arguments are those of `draw_images`.
    """
    images = draw_images(
        translator, label_maps, seed=seed, correlation_px=correlation_px, photos=photos, renders=renders
    )
    return score(judge.read(images), label_maps, palette)
