"""Lenses are exact, and windows hold what they must."""

import math

import numpy as np
import pytest

from pipeline.scenes.camera import Camera, Lens, focal_length_for, rotation_matrix

PROJECTIONS = ("rectilinear", "equidistant", "equisolid")


def make_lens(projection: str, fov: float = 120, offset: tuple[float, float] = (0, 0)) -> Lens:
    return Lens(
        projection, focal_length_for(projection, fov, 81), 81, 61, (40.5 + offset[0], 30.5 + offset[1])
    )


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_the_field_of_view_spans_the_width(projection: str) -> None:
    lens = Lens(projection, focal_length_for(projection, 100, 1000), 1000, 2, (500.0, 1.0))
    rays = Camera(lens, np.zeros(3), np.eye(3)).rays()[:, 0]
    angle = math.degrees(math.acos(float(rays[:, 0] @ rays[:, -1])))
    assert angle == pytest.approx(100, abs=0.2)


def test_projections_follow_their_formulas() -> None:
    for projection, radius in (
        ("rectilinear", lambda angle: math.tan(angle)),
        ("equidistant", lambda angle: angle),
        ("equisolid", lambda angle: 2 * math.sin(angle / 2)),
    ):
        lens = make_lens(projection)
        ray = Camera(lens, np.zeros(3), np.eye(3)).rays()[:, 30, 70]
        assert np.linalg.norm(ray) == pytest.approx(1)
        assert lens.focal_length_px * radius(math.acos(ray[0])) == pytest.approx(30.0)
        assert ray[1] < 0 and ray[2] == pytest.approx(0)


def test_angles_turn_the_camera_as_documented() -> None:
    assert rotation_matrix(math.pi / 2, 0, 0)[:, 0] == pytest.approx([0, 1, 0])
    assert rotation_matrix(0, math.pi / 2, 0)[:, 0] == pytest.approx([0, 0, -1])
    left = rotation_matrix(0, 0, math.radians(10))[:, 1]
    assert left[2] > 0  # a clockwise roll lifts the left side


@pytest.mark.parametrize("offset", [(0, 0), (9, -6)])
@pytest.mark.parametrize("projection", PROJECTIONS)
def test_windows_hold_every_pixel_of_a_sphere(projection: str, offset: tuple[float, float]) -> None:
    rng = np.random.default_rng(4)
    for _ in range(300):
        fov = float(rng.uniform(40, 150) if projection == "rectilinear" else rng.uniform(60, 280))
        angles = rng.uniform(-math.pi, math.pi), rng.uniform(-1.5, 1.5), rng.uniform(-1, 1)
        camera = Camera(make_lens(projection, fov, offset), np.array([0.0, 0, 1]), rotation_matrix(*angles))
        centre, radius = rng.normal(0, 3, 3), float(rng.uniform(0.05, 2))
        towards = np.einsum("i,ihw->hw", centre - camera.position, camera.rays())
        squared = ((centre - camera.position) ** 2).sum() - towards**2
        hit = (squared < radius**2) & (towards > 0) & camera.is_seen()
        window = camera.pixel_bounds(centre, radius)
        if window is None:
            assert not hit.any()
        else:
            top, bottom, left, right = window
            outside = hit.copy()
            outside[top:bottom, left:right] = False
            assert not outside.any()


def test_the_image_circle_ends_the_view() -> None:
    lens = Lens("equidistant", 30.0, 80, 60, (40.0, 30.0), circle_radius_px=20.0)
    assert lens.fov == pytest.approx(2 * 20 / 30)
    seen = Camera(lens, np.zeros(3), np.eye(3)).is_seen()
    assert seen[30, 40] and not seen[0, 0]
    assert seen.sum() == pytest.approx(math.pi * 20**2, rel=0.02)
