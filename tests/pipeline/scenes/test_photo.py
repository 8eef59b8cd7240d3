"""Photo-like pictures: repeatable, and with grass, lines and background where the scene has them."""

import warnings

import numpy as np
import pytest

from pipeline.palette import Palette, PaletteClass
from pipeline.scenes.config import ScenesConfig
from pipeline.scenes.photo import render_photo
from pipeline.scenes.pitch import PITCHES
from pipeline.scenes.rendering import render_label
from pipeline.scenes.world import PHOTO_SCENES, draw_scene

CLASSES = ("environment", "field", "line")
PALETTE = Palette(
    name="ground", classes=tuple(PaletteClass(name=n, color=(i, 0, 0)) for i, n in enumerate(CLASSES))
)


def make_config(**values: object) -> ScenesConfig:
    return ScenesConfig(width=96, height=72, **values)


def test_the_same_number_gives_the_same_bytes() -> None:
    config = make_config()
    first = render_photo(config, 3)
    render_photo(config, 5)
    assert np.array_equal(first, render_photo(config, 3))
    assert not np.array_equal(first, render_photo(config, 4))
    assert first.shape == (72, 96, 3) and first.dtype == np.uint8


@pytest.mark.parametrize("pitch", PITCHES)
@pytest.mark.parametrize("lens", ["rectilinear", "equidistant", "equisolid"])
def test_every_pitch_and_lens_gives_a_picture_with_contrast(pitch: str, lens: str) -> None:
    config = make_config(pitch=pitch, lens=lens, image_circle=(1.2, 1.4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = render_photo(config, 0)
    assert picture.std() > 15
    assert 40 < picture.mean() < 200


def test_grass_is_green_and_lines_are_bright() -> None:
    config = make_config(num_robots=(0, 0), num_people=(0, 0), num_balls=(0, 0), camera_height_m=(1.5, 1.5))
    green, brighter = [], []
    for index in range(6):
        label_map = render_label(draw_scene(config, PHOTO_SCENES, index), config, PALETTE)
        picture = render_photo(config, index).astype(float)
        field, line = picture[label_map == 1], picture[label_map == 2]
        green.append(field[:, 1].mean() - max(field[:, 0].mean(), field[:, 2].mean()))
        if len(line) > 100:
            brighter.append(line.sum(1).mean() / field.sum(1).mean())
    assert min(green) > 5
    assert min(brighter) > 1.15


def test_an_empty_pitch_can_be_photographed() -> None:
    nothing = {"num_balls": (0, 0), "num_robots": (0, 0), "num_people": (0, 0)}
    down = {"pitch_degrees": (80, 85), "fov_degrees": (30, 35)}
    config = ScenesConfig(num_photos=1, width=32, height=24, pitch="robocup-spl", **nothing, **down)
    assert render_photo(config, 0).shape == (24, 32, 3)
