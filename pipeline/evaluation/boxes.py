"""Boxes around things in photographs: those that people drew, and those of a class map's patches.

A box is [left, top, right, bottom] in px.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from pipeline.config import ConfigError

__all__ = ["BOXES_FILE", "NamedBox", "boxes_in_px", "find_boxes", "overlaps", "read_boxes"]

BOXES_FILE = "boxes.json"
"""In a folder of photographs: stem -> list of [class, centre x, centre y, width, height], all relative."""
MIN_AREA_FRACTION = 5e-5
"""Smaller patches of a class map, as a share of it, are specks."""


class NamedBox(NamedTuple):
    """A box as people drew it, relative to its photograph: 0 to 1."""

    name: str
    center_x: float
    center_y: float
    width: float
    height: float


def read_boxes(folders: Sequence[Path]) -> dict[str, tuple[NamedBox, ...]]:
    """The boxes of every photograph, by its stem; empty where no folder holds BOXES_FILE.

    Raises:
        ConfigError: a file is not of that form.
    """
    boxes = {}
    for path in (folder / BOXES_FILE for folder in folders):
        if not path.exists():
            continue
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            for stem, rows in found.items():
                boxes[stem] = tuple(NamedBox(str(row[0]), *(float(x) for x in row[1:])) for row in rows)
        except (OSError, ValueError, TypeError, AttributeError, IndexError) as error:
            raise ConfigError(
                f"{path} cannot be used ({error}); stem -> [[class, centre x, centre y, width, height], ...] "
                "was wanted."
            ) from None
    return boxes


def boxes_in_px(boxes: Sequence[NamedBox], name: str, size: tuple[int, int]) -> np.ndarray:
    """The boxes of one class, float [B, 4]; `size` is the photograph's width and height."""
    relative = np.array([box[1:] for box in boxes if box.name == name], float).reshape(-1, 4)
    center, half = relative[:, :2], relative[:, 2:] / 2
    return np.concatenate([center - half, center + half], 1) * np.tile(size, 2)


def find_boxes(class_map: np.ndarray, class_id: int) -> np.ndarray:
    """A box around each patch of one class, float [B, 4]; corners touching count as one patch.

    Args:
        class_map: uint8 [H, W] of class ids.
        class_id: the class.
    """
    mask = (class_map == class_id).astype(np.uint8)
    stats = cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:]
    left, top, width, height, area = stats[stats[:, 4] >= MIN_AREA_FRACTION * mask.size].T.astype(float)
    return np.stack([left, top, left + width, top + height], 1)


def overlaps(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Intersection over union of every box with every other: float [A, 4], [B, 4] -> float [A, B]."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (one, other)]
    return shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9)
