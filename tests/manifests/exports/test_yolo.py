"""YOLO's text files give the polygons back, and the report says how far these are from the pixels."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from manifests.exports.regions import Region
from manifests.exports.yolo import outlines, polygon_mask


def read(path: Path, shape: tuple[int, int]) -> dict[int, np.ndarray]:
    """The masks of a text file as the format's trainers read it: points scaled, rounded down, and filled."""
    masks: dict[int, np.ndarray] = defaultdict(lambda: np.zeros(shape, np.uint8))
    for line in path.read_text().splitlines():
        number, *values = line.split()
        points = np.array(values, float).reshape(-1, 2) * (shape[1], shape[0])
        assert (points >= 0).all() and (points <= (shape[1], shape[0])).all() and len(points) >= 3
        cv2.fillPoly(masks[int(number)], [points.astype(np.int32)], 1)
    return {number: mask.astype(bool) for number, mask in masks.items()}


def test_polygons_are_read_back_with_the_loss_that_is_told(write: Callable, dataset) -> None:
    folder, report = write("yolo")
    data = yaml.safe_load((folder / "data.yaml").read_text())
    assert data == {  # without `path`, which would be looked for from where the reader is started
        "train": "images/train",
        "val": "images/val",
        "test": "images/test",
        "names": {0: "field", 1: "ball", 2: "robot"},
    }
    ious = defaultdict(list)
    for record in dataset.records:
        label_map = dataset.label_maps[record.sample_id]
        images = list((folder / data[record.split]).glob(f"{record.sample_id}.*"))
        assert len(images) == 1
        masks = read(folder / "labels" / record.split / f"{record.sample_id}.txt", label_map.shape)
        for number, mask in masks.items():
            exact = label_map == number + 1
            ious[data["names"][number]].append((mask & exact).sum() / (mask | exact).sum())
    every = [iou for found in ious.values() for iou in found]
    told = report["polygon_iou"] | {"every": report["polygon_iou_overall"]}
    for name, found in (ious | {"every": every}).items():
        assert told[name]["mean"] == pytest.approx(np.mean(found))
        assert told[name]["worst"] == pytest.approx(min(found)) and told[name]["masks"] == len(found)
    assert report["polygons"] == {"field": 4, "ball": 8, "robot": 28}
    # Grass has holes, which a polygon cannot say; balls and robots have none.
    assert report["polygon_iou"]["ball"]["worst"] == report["polygon_iou"]["robot"]["worst"] == 1
    assert 0.9 < report["polygon_iou"]["field"]["worst"] < 1


def test_missing_splits_are_told(write: Callable) -> None:
    folder, report = write("yolo", splits=["test"])
    assert report["missing"] == "data.yaml names no train and no val, which trainers want"
    assert "train" not in yaml.safe_load((folder / "data.yaml").read_text())


@settings(max_examples=60, deadline=None)
@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_outlines_fill_to_the_region_and_its_holes(mask: np.ndarray) -> None:
    region = Region(1, (0, 0, mask.shape[1], mask.shape[0]), mask, int(mask.sum()))
    found = outlines(region)
    filled = polygon_mask(found, mask.shape)
    holes = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), np.uint8)
    holes[1:-1, 1:-1] = mask
    cv2.floodFill(holes, None, (0, 0), 2)  # what is outside; holes stay 0
    assert (filled == (holes[1:-1, 1:-1] != 2)).all()
    assert all(len(outline) >= 3 for outline in found)
