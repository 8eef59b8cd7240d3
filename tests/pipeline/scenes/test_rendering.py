"""Labels: true widths from above, occlusion, palettes that lack classes."""

import math

import numpy as np
import pytest

from pipeline.palette import Palette, PaletteClass
from pipeline.scenes.camera import Camera, Lens, rotation_matrix
from pipeline.scenes.config import ScenesConfig
from pipeline.scenes.figures import Part, Thing, build_ball, build_human
from pipeline.scenes.pitch import PITCHES
from pipeline.scenes.rendering import cast_rays, render_label
from pipeline.scenes.solids import Box, Sphere
from pipeline.scenes.world import LABEL_SCENES, Scene, draw_scene

ENVIRONMENT, BALL, GOAL, ROBOT, FIELD, LINE = range(6)
NAMES = ("environment", "ball", "goal", "robot", "field", "line")


def make_palette(*names: str) -> Palette:
    return Palette(
        name="test", classes=tuple(PaletteClass(name=n, color=(i, 0, 0)) for i, n in enumerate(names))
    )


def from_above(
    pitch_name: str, *, metres: float = 4.0, pixels: int = 400, x: float = 0.0, y: float = 0.0
) -> Scene:
    """A scene seen straight from above, exactly `metres` wide on the ground: 100 px per metre."""
    height = 10.0
    lens = Lens("rectilinear", pixels * height / metres, pixels, pixels, (pixels / 2, pixels / 2))
    camera = Camera(lens, np.array([x, y, height]), rotation_matrix(0, math.pi / 2, 0))
    return Scene(PITCHES[pitch_name], 1.0, camera, ())


@pytest.mark.parametrize("pitch_name", PITCHES)
def test_line_widths_on_the_ground_are_the_rule_books(pitch_name: str) -> None:
    pitch = PITCHES[pitch_name]
    scene = from_above(pitch_name, x=pitch.length * 0.2, y=pitch.outer_y, pixels=800)
    label_map = render_label(scene, ScenesConfig(), make_palette(*NAMES))
    row = label_map[400]
    assert (row == LINE).sum() / 200 == pytest.approx(pitch.line_width, abs=0.011)
    assert row[0] == ENVIRONMENT and row[-1] == FIELD  # 2 m beyond the line, 2 m inside


def test_the_circle_has_its_size() -> None:
    label_map = render_label(from_above("robocup-spl"), ScenesConfig(), make_palette(*NAMES))
    across = np.flatnonzero(label_map[150] == LINE)
    half = math.sqrt(0.75**2 - 0.5**2)
    assert across.max() - across.min() == pytest.approx(200 * math.sqrt(0.775**2 - 0.5**2), abs=2.5)
    assert label_map[150, 200 + round(100 * half)] == LINE


def test_corner_arcs_reach_the_label() -> None:
    pitch = PITCHES["robocup-msl"]
    scene = from_above("robocup-msl", x=pitch.outer_x, y=pitch.outer_y)
    label_map = render_label(scene, ScenesConfig(), make_palette(*NAMES))
    distance = np.hypot(*(np.mgrid[0:400, 0:400] + 0.5 - 200)) / 100
    on_arc = (distance < 0.745) & (distance > 0.63)
    quadrants = [
        on_arc[a, b] & (label_map[a, b] == LINE)
        for a in (slice(0, 200), slice(200, 400))
        for b in (slice(0, 200), slice(200, 400))
    ]
    shares = sorted(quadrant.sum() / (on_arc.sum() / 4) for quadrant in quadrants)
    assert shares[-1] > 0.95 and shares[-2] == 0


def test_near_things_hide_far_ones() -> None:
    lens = Lens("equidistant", 60.0, 120, 90, (60.0, 45.0))
    camera = Camera(lens, np.array([0.0, 0, 0.5]), np.eye(3))
    near, far = Sphere((2.0, 0.0, 0.5), 0.3), Box((4.0, 0.0, 0.5), (0.1, 3.0, 0.6))
    for solids, front in (((near, far), 0), ((far, near), 1)):
        hits = cast_rays(camera, solids)
        assert hits.solid[45, 60] == front
        assert hits.distance[45, 60] == pytest.approx(1.7, abs=1e-3)
        assert hits.solid[45, 80] == 1 - front
    assert cast_rays(camera, [near]).solid[45, 80] == -1


def test_a_person_hides_the_ball_and_is_environment() -> None:
    pitch = PITCHES["robocup-spl"]
    rng = np.random.default_rng(0)
    lens = Lens("rectilinear", 200.0, 200, 150, (100.0, 75.0))
    camera = Camera(lens, np.array([-2.0, 0, 0.5]), rotation_matrix(0, 0.1, 0))
    ball, person = build_ball(pitch, rng, (2.0, 0.0)), build_human(rng, (0.0, 0.0), 0.0)
    wall = Thing(
        "environment", (Part(Box((1.0, 0.0, 0.5), (0.1, 0.5, 0.5)), (1, 1, 1)),), (1.0, 0.0), 0.5, 1.0
    )
    palette, config = make_palette(*NAMES), ScenesConfig()
    open_view = render_label(Scene(pitch, 0.7, camera, (ball,)), config, palette)
    hidden = render_label(Scene(pitch, 0.7, camera, (ball, wall)), config, palette)
    assert (open_view == BALL).any() and not (hidden == BALL).any()
    assert (hidden[open_view == BALL] == ENVIRONMENT).all()
    with_person = render_label(Scene(pitch, 0.7, camera, (ball, person)), config, palette)
    bare = render_label(Scene(pitch, 0.7, camera, ()), config, palette)
    assert ((with_person == ENVIRONMENT) & (bare == FIELD)).sum() > 100


def test_classes_that_the_palette_lacks_show_what_is_behind() -> None:
    config = ScenesConfig(num_robots=(4, 4), num_balls=(2, 2), num_people=(0, 0), width=160, height=120)
    scene = draw_scene(config, LABEL_SCENES, 1)
    bare = Scene(scene.pitch, scene.border, scene.camera, ())
    full = make_palette(*NAMES)
    poor = make_palette("environment", "field", "line")
    as_full = np.array([0, 4, 5])
    assert (render_label(scene, config, full) == ROBOT).any()
    assert np.array_equal(as_full[render_label(scene, config, poor)], render_label(bare, config, full))
    unlabelled = config.model_copy(update={"label_robot": False, "label_ball": False, "label_goal": False})
    assert np.array_equal(render_label(scene, unlabelled, full), render_label(bare, config, full))
    without_line = render_label(scene, config, make_palette("environment", "field"))
    assert np.array_equal(without_line == 1, np.isin(render_label(bare, config, full), [FIELD, LINE]))


def test_ids_come_from_the_palette_by_name() -> None:
    config = ScenesConfig(width=96, height=72)
    scene = draw_scene(config, LABEL_SCENES, 0)
    turned = render_label(scene, config, make_palette(*reversed(NAMES)))
    assert np.array_equal(5 - turned, render_label(scene, config, make_palette(*NAMES)))


def test_a_palette_without_a_field_is_refused() -> None:
    config = ScenesConfig(width=32, height=32)
    with pytest.raises(ValueError, match="no class 'field'"):
        render_label(draw_scene(config, LABEL_SCENES, 0), config, make_palette("environment", "road"))


def test_outside_the_image_circle_is_environment() -> None:
    config = ScenesConfig(
        lens="fisheye", image_circle=(0.8, 0.8), fov_degrees=(140, 140), pitch_degrees=(60, 60)
    )
    label_map = render_label(draw_scene(config, LABEL_SCENES, 0), config, make_palette(*NAMES))
    corners = label_map[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == ENVIRONMENT).all() and label_map[144, 192] != ENVIRONMENT
