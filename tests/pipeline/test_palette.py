import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.palette import (
    Palette,
    PaletteClass,
    UnknownColorError,
    colorize,
    decode,
    decode_codes,
    load_palette,
)

PALETTES = Path(__file__).parents[2] / "configs" / "palettes"


def palette_of(*colors: tuple[int, int, int]) -> Palette:
    return Palette(
        name="test", classes=tuple(PaletteClass(name=f"c{i}", color=c) for i, c in enumerate(colors))
    )


RED, GREEN, YELLOW, BLACK = (255, 0, 0), (0, 255, 0), (255, 255, 0), (0, 0, 0)


@st.composite
def palettes_and_labels(draw: st.DrawFn) -> tuple[Palette, np.ndarray]:
    channel = st.integers(0, 255)
    colors = draw(st.lists(st.tuples(channel, channel, channel), min_size=1, max_size=255, unique=True))
    height, width = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    seed = draw(st.integers(0, 2**16))
    label_map = np.random.default_rng(seed).integers(0, len(colors), (height, width), dtype=np.uint8)
    return palette_of(*colors), label_map


@given(palettes_and_labels())
@settings(max_examples=40, deadline=None)
def test_colorize_and_decode_are_inverse(case: tuple[Palette, np.ndarray]) -> None:
    palette, label_map = case
    image = colorize(label_map, palette)
    assert image.dtype == np.uint8 and image.shape == (*label_map.shape, 3)
    assert np.array_equal(decode(image, palette), label_map)
    assert np.array_equal(decode(image, palette, antialiased_edges=True), label_map)


def test_colors_one_level_apart_stay_apart() -> None:
    palette = load_palette(PALETTES / "football100.yaml")
    label_map = np.arange(palette.num_classes, dtype=np.uint8)[None]
    assert np.array_equal(decode(colorize(label_map, palette), palette), label_map)


def test_unknown_colors_are_counted_most_frequent_first() -> None:
    image = np.zeros((4, 5, 3), np.uint8)
    image[0, :3] = (1, 2, 3)
    image[2, 0] = (9, 8, 7)
    with pytest.raises(UnknownColorError) as caught:
        decode(image, palette_of(BLACK))
    assert caught.value.counts == (((1, 2, 3), 3), ((9, 8, 7), 1))
    assert caught.value.num_pixels == 4
    assert "(1, 2, 3) x 3, (9, 8, 7) x 1" in str(caught.value)


def test_blended_edges_get_a_class_that_stands_beside_them() -> None:
    # Half ball and half field looks like a dark goal: it must not become goal.
    palette = palette_of(BLACK, RED, GREEN, YELLOW)
    label_map = np.ones((64, 64), np.uint8)
    label_map[:, 32:] = 2
    image = colorize(label_map, palette)
    image[:, 32] = (140, 115, 0)
    with pytest.raises(UnknownColorError):
        decode(image, palette)
    decoded = decode(image, palette, antialiased_edges=True)
    assert (decoded[:, 32] == 1).all()
    assert np.array_equal(np.delete(decoded, 32, axis=1), np.delete(label_map, 32, axis=1))


def test_blended_edges_of_a_drawing_stay_within_a_pixel_of_the_hard_edge() -> None:
    palette = load_palette(PALETTES / "nubots.yaml")
    large = np.full((1024, 1024), 4, np.uint8)
    cv2.circle(large, (500, 500), 300, 5, 40)
    cv2.circle(large, (300, 700), 120, 1, -1)
    image = cv2.resize(colorize(large, palette), (256, 256), interpolation=cv2.INTER_AREA)
    hard = large[2::4, 2::4]
    decoded = decode(image, palette, antialiased_edges=True)
    assert set(np.unique(decoded)) == {1, 4, 5}
    assert (decoded != hard).mean() < 0.02


@pytest.mark.parametrize("color", [(0, 0, 255), (128, 0, 0)])
def test_a_foreign_patch_is_no_edge(color: tuple[int, int, int]) -> None:
    palette = palette_of(BLACK, RED, GREEN)
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, 32:] = GREEN
    image[10:18, 10:18] = color
    with pytest.raises(UnknownColorError):
        decode(image, palette, antialiased_edges=True)


def test_an_image_that_is_mostly_blends_is_refused() -> None:
    ramp = np.zeros((8, 256, 3), np.uint8)
    ramp[..., 0] = np.arange(256)
    with pytest.raises(UnknownColorError):
        decode(ramp, palette_of(BLACK, RED), antialiased_edges=True)


CODED = Palette(
    name="ade",
    classes=(
        PaletteClass(name="other", color=BLACK, background=True, is_rest=True),
        PaletteClass(name="wall", color=RED, codes=(2977,)),
        PaletteClass(name="seat", color=GREEN, codes=(470, 2473)),
    ),
)


def as_ade20k(codes: np.ndarray, instances: np.ndarray) -> np.ndarray:
    return np.stack([codes // 256 * 10, codes % 256, instances], axis=-1).astype(np.uint8)


def test_codes_tell_objects_whatever_their_instance() -> None:
    codes = np.array([[2977, 470, 2473], [0, 1, 6655]])
    wanted = np.array([[1, 2, 2], [0, 0, 0]])
    for seed in range(4):
        instances = np.random.default_rng(seed).integers(0, 256, codes.shape)
        assert np.array_equal(decode_codes(as_ade20k(codes, instances), CODED), wanted)


def test_a_palette_is_written_with_codes_only_where_it_has_any() -> None:
    """Runs that are older than codes go on: what they hold of their palette is the same."""
    plain = palette_of(RED, BLACK).model_dump(mode="json")
    assert set(plain["classes"][0]) == {"name", "color", "background", "ignore", "thing"}
    written = CODED.model_dump(mode="json")
    assert [entry.get("codes") for entry in written["classes"]] == [[], [2977], [470, 2473]]
    assert Palette.model_validate(written) == CODED
    assert Palette.model_validate(plain) == palette_of(RED, BLACK)


def test_a_code_that_no_class_names_is_unknown_without_a_rest() -> None:
    palette = CODED.model_copy(update={"classes": CODED.classes[1:]})
    with pytest.raises(UnknownColorError) as caught:
        decode_codes(as_ade20k(np.array([[470, 257, 257]]), np.array([[1, 2, 3]])), palette)
    assert caught.value.counts == (((10, 1, 0), 2),)


@pytest.mark.parametrize("path", sorted(PALETTES.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_palettes_load(path: Path) -> None:
    palette = load_palette(path)
    assert palette.name == path.stem
    assert palette.colors.shape == (palette.num_classes, 3)


def test_nubots_is_the_published_palette() -> None:
    palette = load_palette(PALETTES / "nubots.yaml")
    assert {c.name: c.color for c in palette.classes} == {
        "environment": (0, 0, 0),
        "ball": (255, 0, 0),
        "goal": (255, 255, 0),
        "robot": (0, 0, 255),
        "field": (0, 255, 0),
        "line": (255, 255, 255),
    }
    assert palette.is_background.tolist() == [True, False, False, False, False, False]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name: x\nclasses: []", "classes"),
        ("name: x\nclasses: [{name: a, color: [0, 0, 256]}]", "classes.0.color.2"),
        ("name: x\nclasses: [{name: a, color: [0, 0, 0]}, {name: a, color: [0, 0, 1]}]", "same name a"),
        (
            "name: x\nclasses: [{name: a, color: [0, 0, 0]}, {name: b, color: [0, 0, 0]}]",
            "classes 'a' and 'b' have the same color (0, 0, 0)",
        ),
        ("name: x\nclasses: [{name: a, colour: [0, 0, 0]}]", "colour"),
        (
            "name: x\nclasses: [{name: a, color: [0, 0, 0], codes: [7, 9]}, "
            "{name: b, color: [0, 0, 1], codes: [9]}]",
            "classes 'a' and 'b' have the same code 9",
        ),
        ("name: x\nclasses: [{name: a, color: [0, 0, 0], is_rest: true}]", "only where classes have codes"),
        ("- 1", "holds list"),
        ("name: [", "no valid YAML"),
    ],
)
def test_a_faulty_palette_is_refused_by_file_and_field(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "faulty.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=re.escape(complaint)) as caught:
        load_palette(path)
    assert str(path) in str(caught.value)


def test_a_missing_palette_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="gone.yaml cannot be read"):
        load_palette(tmp_path / "gone.yaml")
