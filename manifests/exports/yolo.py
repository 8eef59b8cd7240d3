"""YOLO segmentation: a text file of polygons for each image, and a data.yaml."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import yaml

from manifests.exports.regions import Region
from manifests.exports.sample import Export, Facts, Sample
from manifests.schema import SampleRecord

__all__ = ["Yolo", "outlines", "polygon_mask"]

MIN_POINTS = 3


class Yolo:
    """images/<split>/, labels/<split>/*.txt, data.yaml.

    Holes are lost, and so is which parts belong together; how much that is stands in the report.
    """

    def __init__(self, export: Export):
        self._export = export

    def prepare(self, sample: Sample) -> dict[int, tuple[float, int]]:
        """Of each class the IoU of its polygons with its pixels, and how many polygons it has."""
        record = sample.record
        self._export.write(f"images/{record.split}/{record.sample_id}{sample.image_suffix}", sample.image)
        lines, exact = [], defaultdict(list)
        drawn: dict[int, list[np.ndarray]] = defaultdict(list)
        for region in self._export.regions(sample):
            exact[region.index].append(region.mask)
            for outline in outlines(region):
                lines.append(_line(region.index - 1, outline, record.width, record.height))
                drawn[region.index].append(outline)
        self._export.write(f"labels/{record.split}/{record.sample_id}.txt", "".join(lines).encode())
        return {
            index: (_iou(np.any(masks, axis=0), drawn[index]), len(drawn[index]))
            for index, masks in exact.items()
        }

    def finish(self, prepared: Iterator[tuple[SampleRecord, Any]], facts: Facts) -> None:
        ious: dict[str, list[float]] = defaultdict(list)
        for _, of_classes in prepared:
            for index, (iou, num) in of_classes.items():
                name = self._export.classes.names[index - 1]
                ious[name].append(iou)
                facts.instances[name] += num
        facts.notes["polygon_iou"] = {
            name: {"mean": float(np.mean(found)), "worst": float(np.min(found)), "images": len(found)}
            for name, found in sorted(ious.items())
        }
        data = {split: f"images/{split}" for split in self._export.splits}
        data["names"] = dict(enumerate(self._export.classes.names))
        self._export.write("data.yaml", yaml.safe_dump({"path": "."} | data, sort_keys=False).encode())


def outlines(region: Region) -> list[np.ndarray]:
    """The outer outline of each connected part: int [N, 2] x and y of pixels, N at least MIN_POINTS."""
    left, top, width, height = region.box
    part = region.mask[top : top + height, left : left + width].astype(np.uint8)
    found, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=(left, top))
    return [_with_enough_points(outline[:, 0]) for outline in found]


def polygon_mask(polygons: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """bool [H, W] of outlines, filled as the readers of this format fill them."""
    canvas = np.zeros(shape, np.uint8)
    for polygon in polygons:
        cv2.fillPoly(canvas, [polygon.astype(np.int32)], 1)
    return canvas.astype(bool)


def _with_enough_points(outline: np.ndarray) -> np.ndarray:
    """A part of one or two pixels has fewer points than a polygon needs; its last one is repeated."""
    missing = max(0, MIN_POINTS - len(outline))
    return np.concatenate([outline, np.repeat(outline[-1:], missing, axis=0)])


def _line(number: int, outline: np.ndarray, width: int, height: int) -> str:
    # The middle of a pixel, so that readers that round down land in it.
    points = (outline + 0.5) / (width, height)
    return " ".join([str(number), *(f"{value:.6f}" for value in points.ravel())]) + "\n"


def _iou(exact: np.ndarray, polygons: list[np.ndarray]) -> float:
    drawn = polygon_mask(polygons, exact.shape)
    return float((exact & drawn).sum() / (exact | drawn).sum())
