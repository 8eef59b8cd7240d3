"""Detection: whether the things that people drew boxes around are patches of their class in a class map."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.evaluation.boxes import NamedBox, boxes_in_px, find_boxes, overlaps
from pipeline.evaluation.judge import Judge
from pipeline.evaluation.results import DetectionScores
from pipeline.evaluation.several import mean_and_sd
from pipeline.geometry import cover_scale, resize_photo, scaled_size
from pipeline.palette import Palette

__all__ = ["MIN_OVERLAPS", "count_matches", "detect"]

MIN_OVERLAPS = (0.3, 0.5)
"""A found box is right when its intersection over union with a wanted one is at least this."""


def detect(
    judges: Sequence[Judge],
    photos: Sequence[Path],
    boxes: Mapping[str, Sequence[NamedBox]],
    box_classes: Mapping[str, str],
    palette: Palette,
    *,
    judged_size: tuple[int, int],
    read: Callable[[Path], np.ndarray],
) -> dict[str, dict[str, DetectionScores]]:
    """Let judges read photographs, and compare.

    Args:
        judges: what reads, each for itself.
        photos: paths whose stems `boxes` has.
        boxes: stem -> boxes as people drew them.
        box_classes: class of the boxes -> class of the palette; those that neither knows are left out.
        palette: the judges'.
        judged_size: width and height that a photograph is scaled to cover before it is read; the answer has
            the photograph's own size.
        read: path -> uint8 [H, W, 3].

    Returns:
        class of the palette -> smallest overlap as text -> scores.
    """
    named = {box.name for path in photos for box in boxes[path.stem]}
    pairs = [
        (name, target) for name, target in box_classes.items() if name in named and target in palette.names
    ]
    counts = {
        (target, least): np.zeros((len(judges), 3), int) for _, target in pairs for least in MIN_OVERLAPS
    }
    for path in photos:
        photo = read(path)
        height, width = photo.shape[:2]
        scale = cover_scale(width, height, *judged_size)
        scaled = resize_photo(photo, scaled_size(width, height, scale))
        for index, judge in enumerate(judges):
            class_map = judge.read(scaled[None], (height, width))[0]
            for name, target in pairs:
                wanted = boxes_in_px(boxes[path.stem], name, (width, height))
                found = find_boxes(class_map, palette.names.index(target))
                for least in MIN_OVERLAPS:
                    right = count_matches(found, wanted, least)
                    counts[target, least][index] += len(wanted), len(found), right
    return {
        target: {str(least): _scores(counts[target, least]) for least in MIN_OVERLAPS} for _, target in pairs
    }


def count_matches(found: np.ndarray, wanted: np.ndarray, least: float) -> int:
    """How many found boxes are right: each goes to one wanted box, those that overlap most first.

    Args:
        found: float [A, 4].
        wanted: float [B, 4].
        least: the smallest intersection over union that counts.
    """
    shared = overlaps(found, wanted)
    num = 0
    while shared.size and shared.max() >= least:
        row, column = np.unravel_index(shared.argmax(), shared.shape)
        shared[row], shared[:, column] = -1, -1
        num += 1
    return num


def _scores(counts: np.ndarray) -> DetectionScores:
    """int [J, 3] -> scores; of each judge: boxes wanted, boxes found, boxes found that are right."""
    wanted, found, right = counts.T.tolist()
    precision, precision_sd = mean_and_sd([_share(*one) for one in zip(right, found, strict=True)])
    recall, recall_sd = mean_and_sd([_share(*one) for one in zip(right, wanted, strict=True)])
    f1, f1_sd = mean_and_sd([_share(2 * one[2], one[0] + one[1]) for one in counts.tolist()])
    return DetectionScores(
        num_wanted=wanted[0],
        num_found=float(np.mean(found)),
        precision=precision,
        precision_sd=precision_sd,
        recall=recall,
        recall_sd=recall_sd,
        f1=f1,
        f1_sd=f1_sd,
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
