"""YOLO segmentation: a text file of polygons for each image, and a data.yaml."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
import yaml

from manifests.exports.regions import Region
from manifests.exports.sample import Export, Facts, Prepared, Sample

__all__ = ["Yolo", "outlines", "polygon_mask"]

MIN_POINTS = 3


class _Drawn(NamedTuple):
    num_polygons: int
    iou: float
    """Of all polygons of a class in an image with the pixels that they stand for."""


class Yolo:
    """images/<split>/, labels/<split>/*.txt, data.yaml.

    A line is the outer outline of one connected part, through the middles of its pixels. Holes are lost, and
    so is which parts of a class that is no thing belong together; how much that is stands in the report.
    data.yaml has no `path`: its readers take that from where they are started, or from a folder of their own,
    and without it from where data.yaml lies.
    """

    def __init__(self, export: Export):
        self._export = export

    def prepare(self, sample: Sample) -> dict[int, _Drawn]:
        """By class, how its regions were drawn."""
        record = sample.record
        self._export.put_image(sample, f"images/{record.split}/{record.sample_id}")
        lines, of_class = [], defaultdict(list)
        for region in sample.regions:
            polygons = outlines(region)
            lines += [_line(region.index - 1, polygon, record.width, record.height) for polygon in polygons]
            of_class[region.index].append((region, polygons))
        self._export.write(f"labels/{record.split}/{record.sample_id}.txt", "".join(lines).encode())
        return {index: _drawn(found, sample.label_map.shape) for index, found in of_class.items()}

    def finish(self, prepared: Iterator[Prepared], facts: Facts) -> None:
        losses: dict[str, _Loss] = defaultdict(_Loss)
        polygons: Counter[str] = Counter()
        names = self._export.classes.names
        for sample in prepared:
            for index, drawn in sample.found.items():
                losses[names[index - 1]].add(drawn.iou)
                polygons[names[index - 1]] += drawn.num_polygons
        facts.notes["polygons"] = {name: polygons[name] for name in names if polygons[name]}
        facts.notes["polygon_iou"] = {name: losses[name].told() for name in names if name in losses}
        facts.notes["polygon_iou_overall"] = sum(losses.values(), _Loss()).told()
        data: dict[str, Any] = {split: f"images/{split}" for split in self._export.num_rows}
        if missing := [split for split in ("train", "val") if split not in data]:
            facts.notes["missing"] = f"data.yaml names no {' and no '.join(missing)}, which trainers want"
        data["names"] = dict(enumerate(names))
        self._export.write("data.yaml", yaml.safe_dump(data, sort_keys=False).encode())


class _Loss:
    """How far polygons are from pixels; grows by one number at a time."""

    def __init__(self, num: int = 0, total: float = 0.0, worst: float = 1.0):
        self._num, self._total, self._worst = num, total, worst

    def add(self, iou: float) -> None:
        self._num, self._total, self._worst = self._num + 1, self._total + iou, min(self._worst, iou)

    def __add__(self, other: "_Loss") -> "_Loss":
        worst = min(self._worst, other._worst)
        return _Loss(self._num + other._num, self._total + other._total, worst)

    def told(self) -> dict[str, Any]:
        """`masks` counts pairs of an image and a class."""
        return {
            "mean": self._total / self._num if self._num else 1.0,
            "worst": self._worst,
            "masks": self._num,
        }


def outlines(region: Region) -> list[np.ndarray]:
    """The outer outline of each connected part: int [N, 2] x and y of pixels, N at least MIN_POINTS."""
    part = region.part.astype(np.uint8)
    found, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=region.box[:2])
    return [_with_enough_points(outline[:, 0]) for outline in found]


def polygon_mask(polygons: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """bool [H, W] of outlines, filled as the readers of this format fill them."""
    canvas = np.zeros(shape, np.uint8)
    for polygon in polygons:
        cv2.fillPoly(canvas, [polygon.astype(np.int32)], 1)
    return canvas.astype(bool)


def _drawn(found: list[tuple[Region, list[np.ndarray]]], shape: tuple[int, int]) -> _Drawn:
    exact = np.zeros(shape, bool)
    for region, _ in found:
        region.draw(exact, True)
    polygons = [polygon for _, of_region in found for polygon in of_region]
    drawn = polygon_mask(polygons, shape)
    return _Drawn(len(polygons), float((exact & drawn).sum() / (exact | drawn).sum()))


def _with_enough_points(outline: np.ndarray) -> np.ndarray:
    """A part of one or two pixels has fewer points than a polygon needs; its last one is repeated."""
    missing = max(0, MIN_POINTS - len(outline))
    return np.concatenate([outline, np.repeat(outline[-1:], missing, axis=0)])


def _line(number: int, outline: np.ndarray, width: int, height: int) -> str:
    # The middle of a pixel, so that readers that round down land in it.
    points = (outline + 0.5) / (width, height)
    return f"{number}{' %.6f' * points.size}\n" % tuple(points.ravel())
