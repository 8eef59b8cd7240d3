"""Regions are the label map taken apart: nothing twice, nothing lost but what is too small."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from manifests.exports.classes import ExportClass, ExportClasses
from manifests.exports.regions import regions_of

PALETTE = {"classes": [{"name": name, "color": [0, 0, 0]} for name in ("none", "grass", "ball")]}
CLASSES = ExportClasses(
    {"grass": ExportClass(members=("grass",)), "ball": ExportClass(members=("ball",), thing=True)}, PALETTE
)
label_maps = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 2))


@settings(max_examples=100, deadline=None)
@given(label_maps)
def test_regions_put_together_are_the_label_map(label_map: np.ndarray) -> None:
    together = np.zeros_like(label_map)
    for region in regions_of(CLASSES.index_map(label_map), CLASSES):
        assert not together[region.mask].any()
        together[region.mask] = region.index
        x, y, width, height = region.box
        assert region.area == region.mask.sum() == region.mask[y : y + height, x : x + width].sum()
        rows, columns = np.nonzero(region.mask)
        assert (x, y) == (columns.min(), rows.min())
        assert (width, height) == (np.ptp(columns) + 1, np.ptp(rows) + 1)
    assert (together == label_map).all()


@settings(max_examples=100, deadline=None)
@given(label_maps, st.integers(1, 6))
def test_small_regions_are_left_out(label_map: np.ndarray, min_area: int) -> None:
    every = list(regions_of(CLASSES.index_map(label_map), CLASSES))
    large = list(regions_of(CLASSES.index_map(label_map), CLASSES, min_area=min_area))
    assert [region.area for region in large] == [region.area for region in every if region.area >= min_area]


@settings(max_examples=100, deadline=None)
@given(label_maps)
def test_a_thing_is_one_connected_part_and_stuff_is_one_region(label_map: np.ndarray) -> None:
    found = list(regions_of(CLASSES.index_map(label_map), CLASSES))
    num_parts = cv2.connectedComponents((label_map == 2).astype(np.uint8), connectivity=8)[0] - 1
    assert sum(region.index == 2 for region in found) == num_parts
    assert sum(region.index == 1 for region in found) == (label_map == 1).any()
