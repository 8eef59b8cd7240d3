"""Sizes and crops: ids stay ids, circles stay circles, the crop is always full."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.geometry import (
    CENTERED,
    View,
    cover_scale,
    draw_view,
    resize_label_map,
    resize_photo,
    scaled_size,
    view,
)

sides = st.integers(1, 90)
fractions = st.floats(0, 1)


@given(sides, sides, sides, sides, st.floats(1, 2), fractions, fractions, st.booleans())
def test_any_image_fills_any_crop_and_a_label_gains_no_ids(
    width: int,
    height: int,
    crop_width: int,
    crop_height: int,
    zoom: float,
    left: float,
    top: float,
    flip: bool,
) -> None:
    label_map = np.random.default_rng(width * height).integers(0, 3, (height, width), dtype=np.uint8) * 100
    shown = View(zoom, left, top, flip)
    crop = view(label_map, shown, width=crop_width, height=crop_height)
    assert crop.shape == (crop_height, crop_width) and crop.dtype == np.uint8 and crop.flags.c_contiguous
    assert set(np.unique(crop)) <= set(np.unique(label_map))
    photo = np.repeat(label_map[..., None], 3, axis=2)
    assert view(photo, shown, width=crop_width, height=crop_height).shape == (crop_height, crop_width, 3)


@given(
    st.integers(16, 400), st.integers(16, 400), st.integers(16, 200), st.integers(16, 200), st.floats(1, 1.5)
)
def test_the_aspect_ratio_is_never_squashed(
    width: int, height: int, crop_width: int, crop_height: int, zoom: float
) -> None:
    scale = cover_scale(width, height, crop_width, crop_height) * zoom
    scaled = scaled_size(width, height, scale)
    # Each side is the scale times the image's, to half a pixel; so is their ratio.
    assert abs(scaled[0] - width * scale) <= 0.5 and abs(scaled[1] - height * scale) <= 0.5
    assert scaled[0] >= crop_width and scaled[1] >= crop_height


@pytest.mark.parametrize("shape", [(60, 120), (120, 60), (90, 90)])
def test_a_disc_stays_a_disc(shape: tuple[int, int]) -> None:
    rows, columns = np.indices(shape)
    radius = 25
    disc = (rows - shape[0] / 2) ** 2 + (columns - shape[1] / 2) ** 2 < radius**2
    crop = view(disc.astype(np.uint8), CENTERED, width=70, height=50)
    seen_rows, seen_columns = np.nonzero(crop)
    width = np.ptp(seen_columns) + 1
    expected = 2 * radius * cover_scale(shape[1], shape[0], 70, 50)
    assert abs(width - min(expected, 70)) <= 2
    assert abs(np.ptp(seen_rows) + 1 - min(expected, 50)) <= 2


def test_views_stay_within_the_load_scale_and_use_all_of_it() -> None:
    random = np.random.default_rng(0)
    views = [draw_view(random, load_scale=1.25, flip=True) for _ in range(400)]
    zooms = np.array([shown.zoom for shown in views])
    assert zooms.min() >= 1 and zooms.max() <= 1.25
    assert zooms.min() < 1.01 and zooms.max() > 1.24
    for values in ([shown.left for shown in views], [shown.top for shown in views]):
        assert 0 <= min(values) < 0.02 and 0.98 < max(values) <= 1
    assert 150 < sum(shown.flipped for shown in views) < 250


def test_without_scale_and_flip_a_view_is_the_image() -> None:
    shown = draw_view(np.random.default_rng(0), load_scale=1, flip=False)
    image = np.random.default_rng(1).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    assert not shown.flipped and shown.zoom == 1
    assert np.array_equal(view(image, shown, width=9, height=7), image)
    mirrored = view(image, CENTERED._replace(flipped=True), width=9, height=7)
    assert np.array_equal(mirrored, image[:, ::-1])


def test_a_crop_lies_where_its_view_says() -> None:
    columns = np.tile(np.arange(100, dtype=np.uint8), (10, 1))
    for left, first in ((0, 0), (0.5, 45), (1, 90)):
        crop = view(columns, CENTERED._replace(left=left), width=10, height=10)
        assert np.array_equal(crop[0], np.arange(first, first + 10))


def test_labels_and_photographs_are_scaled_about_the_same_points() -> None:
    edge = np.zeros((40, 60), np.uint8)
    edge[:, 30:] = 1
    for size in ((90, 60), (30, 20)):
        label = resize_label_map(edge, size)
        photo = resize_photo(np.repeat(edge[..., None] * 255, 3, axis=2), size)
        assert abs(int(label[0].sum()) - size[0] // 2) <= 1
        assert abs(photo[0, :, 0].sum() / 255 - size[0] / 2) <= 1


def test_what_has_the_size_already_is_not_copied() -> None:
    label_map = np.zeros((4, 5), np.uint8)
    assert resize_label_map(label_map, (5, 4)) is label_map
    photo = np.zeros((4, 5, 3), np.uint8)
    assert resize_photo(photo, (5, 4)) is photo
