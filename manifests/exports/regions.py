"""From a label map to the regions that instance formats know."""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from manifests.exports.classes import ExportClasses

__all__ = ["Region", "regions_of"]

CONNECTIVITY = 8
"""Pixels that touch at a corner belong together."""


class Region(NamedTuple):
    """Pixels of one class: an object, or all that there is of it."""

    index: int
    """Of its class, from 1."""
    mask: np.ndarray
    """bool [H, W]."""
    box: tuple[int, int, int, int]
    """Left, top, width and height in px."""
    area: int
    """Pixels."""


def regions_of(index_map: np.ndarray, classes: ExportClasses, *, min_area: int = 1) -> Iterator[Region]:
    """The regions of a label map, by class, and of a class from top to bottom.

    A thing's connected parts are regions of their own; of other classes there is one region.

    Args:
        index_map: uint8 [H, W], class numbers from 1, 0 = none.
        classes: which of them are things.
        min_area: smaller regions are left out, px.
    """
    present = np.flatnonzero(np.bincount(index_map.ravel(), minlength=len(classes) + 1))
    for index in present[present > 0].tolist():
        of_class = index_map == index
        if not classes.is_thing[index - 1]:
            rows, columns = np.flatnonzero(of_class.any(1)), np.flatnonzero(of_class.any(0))
            box = (
                int(columns[0]),
                int(rows[0]),
                int(columns[-1] - columns[0] + 1),
                int(rows[-1] - rows[0] + 1),
            )
            area = int(of_class.sum())
            if area >= min_area:
                yield Region(index, of_class, box, area)
            continue
        num, parts, stats, _ = cv2.connectedComponentsWithStats(
            of_class.astype(np.uint8), connectivity=CONNECTIVITY
        )
        for part in range(1, num):
            *box, area = stats[part].tolist()
            if area >= min_area:
                yield Region(index, parts == part, tuple(box), area)
