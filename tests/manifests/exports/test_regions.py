"""Regions are the label map taken apart: nothing twice, nothing lost."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from manifests.exports.classes import ExportClass, ExportClasses
from manifests.exports.regions import regions_of

PALETTE = {"classes": [{"name": name, "color": [0, 0, 0]} for name in ("none", "grass", "ball")]}
CLASSES = ExportClasses({"grass": ExportClass(), "ball": ExportClass(thing=True)}, PALETTE)
label_maps = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 2))


@settings(max_examples=100, deadline=None)
@given(label_maps)
def test_regions_put_together_are_the_label_map(label_map: np.ndarray) -> None:
    together = np.zeros_like(label_map)
    for region in regions_of(CLASSES.index_map(label_map), CLASSES):
        left, top, width, height = region.box
        assert not together[top : top + height, left : left + width][region.part].any()
        region.draw(together, region.index)
        assert region.part.shape == (height, width)
        assert region.area == region.part.sum()
        assert region.part[[0, -1]].any(axis=1).all() and region.part[:, [0, -1]].any(axis=0).all()
    assert (together == label_map).all()


@settings(max_examples=100, deadline=None)
@given(label_maps)
def test_a_thing_is_one_connected_part_and_stuff_is_one_region(label_map: np.ndarray) -> None:
    found = list(regions_of(CLASSES.index_map(label_map), CLASSES))
    num_parts = cv2.connectedComponents((label_map == 2).astype(np.uint8), connectivity=8)[0] - 1
    assert sum(region.index == 2 for region in found) == num_parts
    assert sum(region.index == 1 for region in found) == (label_map == 1).any()
    for region in found:
        if region.index == 2:
            assert cv2.connectedComponents(region.part.astype(np.uint8), connectivity=8)[0] == 2


def test_ignored_pixels_are_no_region() -> None:
    index_map = np.full((2, 3), 255, np.uint8)
    assert list(regions_of(index_map, CLASSES)) == []
