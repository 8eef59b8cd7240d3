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
    box: tuple[int, int, int, int]
    """Left, top, width and height in px; no row or column at its border is empty."""
    part: np.ndarray
    """bool [height, width]: which pixels of the box are the region's."""
    area: int
    """Pixels."""

    def draw(self, canvas: np.ndarray, value: int) -> None:
        """Set the region's pixels of a canvas [H, W]."""
        left, top, width, height = self.box
        canvas[top : top + height, left : left + width][self.part] = value


def regions_of(index_map: np.ndarray, classes: ExportClasses) -> Iterator[Region]:
    """The regions of a label map, by class, and of a class from top to bottom.

    A thing's connected parts are regions of their own; of other classes there is one region.

    Args:
        index_map: uint8 [H, W], as `ExportClasses.index_map` gives it.
        classes: which of them are things.
    """
    counts = np.bincount(index_map.ravel(), minlength=len(classes) + 1)
    for index in range(1, len(classes) + 1):
        if not counts[index]:
            continue
        whole = _whole(index, index_map == index)
        if classes.is_thing[index - 1]:
            yield from _parts(whole)
        else:
            yield whole


def _whole(index: int, of_class: np.ndarray) -> Region:
    rows, columns = np.flatnonzero(of_class.any(1)), np.flatnonzero(of_class.any(0))
    top, bottom, left, right = (int(edge) for edge in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))
    part = of_class[top:bottom, left:right]
    return Region(index, (left, top, right - left, bottom - top), part, int(part.sum()))


def _parts(whole: Region) -> Iterator[Region]:
    num, parts, stats, _ = cv2.connectedComponentsWithStats(
        whole.part.astype(np.uint8), connectivity=CONNECTIVITY
    )
    for number in range(1, num):
        left, top, width, height, area = stats[number].tolist()
        part = parts[top : top + height, left : left + width] == number
        yield Region(whole.index, (whole.box[0] + left, whole.box[1] + top, width, height), part, area)
