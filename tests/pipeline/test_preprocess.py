import colorsys
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan.config import NoiseConfig
from pipeline.palette import Palette, PaletteClass, colorize
from pipeline.preprocess import (
    attention_mask,
    attention_mask_of_image,
    condition,
    noise_field,
    noise_table,
    saturation_noise,
)

SHA = "0f" * 32
COLORS = [(0, 0, 0), (255, 0, 0), (255, 255, 0), (0, 0, 255), (0, 255, 0), (255, 255, 255)]
ACHROMATIC = ("value", "keep", "hsv")
Achromatic = Literal["value", "keep", "hsv"]


def palette_of(colors: list[tuple[int, int, int]]) -> Palette:
    classes = (PaletteClass(name=f"c{i}", color=c, background=i == 0) for i, c in enumerate(colors))
    return Palette(name="test", classes=tuple(classes))


NUBOTS = palette_of(COLORS)


def defined_color(color: tuple[int, int, int], noise: float, achromatic: Achromatic) -> np.ndarray:
    """The definition, through HSV and back in float64: [3], 0 to 255."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(c / 255 for c in color))
    if value == 0 or (saturation == 0 and achromatic == "keep"):
        return np.array(color, float)
    if saturation == 0 and achromatic == "value":
        return np.full(3, min(max(value + noise, 0), 1) * 255)
    return np.array(colorsys.hsv_to_rgb(hue, min(max(saturation + noise, 0), 1), value)) * 255


channels = st.integers(0, 255)
chromatic_or_not = st.one_of(
    st.tuples(channels, channels, channels),
    channels.map(lambda v: (v, v, v)),
)


@given(chromatic_or_not, st.integers(0, 255), st.floats(0, 1), st.sampled_from(ACHROMATIC))
@settings(max_examples=400, deadline=None)
def test_both_ways_follow_the_definition(
    color: tuple[int, int, int], step: int, amount: float, achromatic: Achromatic
) -> None:
    wanted = defined_color(color, amount * (2 * step / 255 - 1), achromatic)
    table = noise_table(palette_of([color]), NoiseConfig(amount=amount, achromatic=achromatic))
    assert np.abs(table[0, step] - wanted).max() <= 0.5 + 1e-6
    picture = np.full((1, 1, 3), color, np.uint8)
    field = np.full((1, 1), step, np.uint8)
    noised = saturation_noise(picture, field, amount, achromatic)
    assert np.abs(np.rint(wanted) - noised[0, 0]).max() <= 1


@pytest.mark.parametrize("achromatic", ACHROMATIC)
def test_the_direct_formula_agrees_with_the_table_on_any_picture(achromatic: Achromatic) -> None:
    rng = np.random.default_rng(5)
    colors = [tuple(c) for c in rng.integers(0, 256, (200, 3)).tolist()]
    colors = list(dict.fromkeys(colors + [(v, v, v) for v in range(0, 256, 7)]))
    label_map = rng.integers(0, len(colors), (203, 301), dtype=np.uint8)
    field = rng.integers(0, 256, label_map.shape, dtype=np.uint8)
    table = np.stack(
        [
            noise_table(palette_of([color]), NoiseConfig(amount=0.7, achromatic=achromatic))[0]
            for color in colors
        ]
    )
    by_table = condition(label_map, field, table).astype(int)
    direct = saturation_noise(colorize(label_map, palette_of(colors)), field, 0.7, achromatic)
    assert np.abs(by_table - direct).max() <= 1


@given(
    st.lists(chromatic_or_not, min_size=2, max_size=12, unique=True),
    st.floats(0, 1),
    st.sampled_from(ACHROMATIC),
)
@settings(max_examples=150, deadline=None)
def test_a_label_can_be_read_back_from_its_noise_or_the_noise_is_refused(
    colors: list[tuple[int, int, int]], amount: float, achromatic: Achromatic
) -> None:
    palette = palette_of(colors)
    noise = NoiseConfig(amount=amount, achromatic=achromatic)
    try:
        table = noise_table(palette, noise)
    except ValueError as error:
        largest = float(str(error).rsplit(" ", 1)[1])
        assert largest < amount
        table = noise_table(palette, noise.model_copy(update={"amount": largest}))
    distance = ((table[:, :, None].astype(int) - palette.colors.astype(int)) ** 2).sum(axis=3)
    assert (distance.argmin(axis=2) == np.arange(palette.num_classes)[:, None]).all()


def test_a_refusal_names_class_colour_and_what_would_work() -> None:
    with pytest.raises(
        ValueError, match=r"c1 \(255, 0, 0\) into .* than to c5 \(255, 255, 255\) .* is 0\.499"
    ):
        noise_table(NUBOTS, NoiseConfig(amount=0.6))


def test_classes_a_level_apart_allow_no_noise_but_none() -> None:
    palette = palette_of([(255, 160, 1), (255, 159, 0)])
    assert (noise_table(palette, NoiseConfig(amount=0)) == palette.colors[:, None]).all()
    with pytest.raises(ValueError, match="the largest amount"):
        noise_table(palette, NoiseConfig(amount=0.3))


@pytest.mark.parametrize("achromatic", ACHROMATIC)
def test_black_never_changes(achromatic: Achromatic) -> None:
    table = noise_table(NUBOTS, NoiseConfig(amount=0.4, achromatic=achromatic))
    assert not table[0].any()
    field = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert not saturation_noise(np.zeros((16, 16, 3), np.uint8), field, 1.0, achromatic).any()


def test_white_lines_get_value_noise_and_never_a_hue() -> None:
    white = noise_table(NUBOTS, NoiseConfig(amount=0.4, achromatic="value"))[5].astype(int)
    assert (white == white[:, :1]).all()
    assert white[0, 0] == round(0.6 * 255) and white[-1, 0] == 255
    assert (noise_table(NUBOTS, NoiseConfig(amount=0.4, achromatic="keep"))[5] == 255).all()
    tinted = noise_table(NUBOTS, NoiseConfig(amount=0.4, achromatic="hsv"))[5]
    assert tinted[-1, 0] == 255 and tinted[-1, 1] == tinted[-1, 2] < 255


def test_no_amount_changes_nothing() -> None:
    label_map = np.random.default_rng(0).integers(0, 6, (33, 44), dtype=np.uint8)
    field = noise_field(SHA, 0, 0, label_map.shape)
    image = colorize(label_map, NUBOTS)
    assert np.array_equal(condition(label_map, field, noise_table(NUBOTS, NoiseConfig(amount=0))), image)
    assert np.array_equal(saturation_noise(image, field, 0), image)


@pytest.mark.parametrize("size", [(1, 1), (4, 1), (1, 4), (2, 2), (1, 70_000), (70_000, 1), (77, 1001)])
def test_tiles_do_not_show(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(2)
    label_map = rng.integers(0, 6, size, dtype=np.uint8)
    field = noise_field(SHA, 1, 2, size)
    table = noise_table(NUBOTS, NoiseConfig(amount=0.4))
    noised = condition(label_map, field, table)
    assert np.array_equal(noised, table[label_map, field])
    direct = saturation_noise(colorize(label_map, NUBOTS), field, 0.4)
    for part in (np.s_[: size[0] // 2], np.s_[size[0] // 2 :]):
        if field[part].size:
            image = colorize(label_map[part], NUBOTS)
            assert np.array_equal(saturation_noise(image, field[part], 0.4), direct[part])


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_masks_follow_the_class_not_the_colour(seed: int) -> None:
    rng = np.random.default_rng(seed)
    is_background = rng.random(9) < 0.4
    label_map = rng.integers(0, 9, (7, 11), dtype=np.uint8)
    mask = attention_mask(label_map, is_background)
    assert mask.dtype == np.uint8
    assert np.array_equal(mask, np.where(is_background[label_map], 0, 255))


@pytest.mark.parametrize("size", [(1, 1), (4, 1), (9, 13), (300, 301), (1, 70_000)])
def test_the_plain_rule_whitens_whatever_is_not_black(size: tuple[int, int]) -> None:
    image = np.random.default_rng(size[1]).integers(0, 3, (*size, 3), dtype=np.uint8)
    image[np.random.default_rng(0).random(size) < 0.5] = 0
    before = image.copy()
    mask = attention_mask_of_image(image)
    assert np.array_equal(mask, np.where(image.any(axis=2), 255, 0))
    assert np.array_equal(image, before)
