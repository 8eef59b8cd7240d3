"""Rays meet solids where their surface is, nearest point first."""

import numpy as np
import pytest

from pipeline.scenes.solids import Box, Capsule, Cone, Solid, Sphere

SOLIDS = [
    Sphere((5.0, 0.2, 0.5), 0.5),
    Capsule((5.0, -0.5, 0.2), (5.3, 0.6, 1.1), 0.2),
    Cone((5.0, 0.0, 0.0), (5.0, 0.0, 1.0), 0.5, 0.2),
    Cone((5.0, -1.0, 0.6), (5.2, 1.0, 0.7), 0.15, 0.15),
    Box((5.0, 0.0, 0.5), (0.4, 0.3, 0.5), 0.6),
]


def is_inside(solid: Solid, points: np.ndarray) -> np.ndarray:
    """Straight from each solid's definition; points [3, N]."""
    if isinstance(solid, Sphere):
        return np.linalg.norm(points.T - solid.centre, axis=1) <= solid.radius
    if isinstance(solid, Box):
        local = points.T - solid.centre
        turn = np.array([[np.cos(solid.yaw), -np.sin(solid.yaw)], [np.sin(solid.yaw), np.cos(solid.yaw)]])
        local[:, :2] = local[:, :2] @ turn
        return (np.abs(local) <= solid.half_size).all(axis=1)
    axis = np.subtract(solid.end, solid.start)
    share = (points.T - solid.start) @ axis / (axis @ axis)
    if isinstance(solid, Capsule):
        nearest = solid.start + np.clip(share, 0, 1)[:, None] * axis
        return np.linalg.norm(points.T - nearest, axis=1) <= solid.radius
    off_axis = np.linalg.norm(points.T - solid.start - share[:, None] * axis, axis=1)
    radius = solid.start_radius + share * (solid.end_radius - solid.start_radius)
    return (share >= 0) & (share <= 1) & (off_axis <= radius)


def some_rays() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    targets = np.array([5.0, 0, 0.5])[:, None] + rng.normal(0, 0.6, (3, 400))
    origin = np.array([0.0, 0.3, 0.9])
    rays = targets - origin[:, None]
    return origin, rays / np.linalg.norm(rays, axis=0)


@pytest.mark.parametrize("solid", SOLIDS, ids=lambda solid: type(solid).__name__)
def test_the_nearest_surface_is_met(solid: Solid) -> None:
    origin, rays = some_rays()
    with np.errstate(invalid="ignore"):
        met = solid.meet(origin, rays)
    steps = np.arange(3.0, 8.0, 0.004)
    inside = np.stack([is_inside(solid, origin[:, None] + rays * step) for step in steps])
    first = np.where(inside.any(0), steps[inside.argmax(0)], np.inf)
    agree = np.isfinite(met) == np.isfinite(first)
    assert agree.mean() > 0.98  # marching may step over a grazing touch
    both = np.isfinite(met) & np.isfinite(first)
    assert both.sum() > 20
    assert (np.abs(met[both] - first[both]) < 0.005).mean() > 0.98


@pytest.mark.parametrize("solid", SOLIDS, ids=lambda solid: type(solid).__name__)
def test_normals_point_outwards_and_towards_the_viewer(solid: Solid) -> None:
    origin, rays = some_rays()
    with np.errstate(invalid="ignore"):
        met = solid.meet(origin, rays)
    hit = np.isfinite(met)
    points = origin[:, None] + rays[:, hit] * met[hit]
    normals = solid.normals(points)
    assert np.linalg.norm(normals, axis=0) == pytest.approx(1)
    assert ((normals * rays[:, hit]).sum(0) < 1e-6).all()
    assert not is_inside(solid, points + 1e-3 * normals).any()


@pytest.mark.parametrize("solid", SOLIDS, ids=lambda solid: type(solid).__name__)
def test_spheres_cover_the_solid(solid: Solid) -> None:
    points = np.random.default_rng(1).uniform([4, -2, -1], [6, 2, 2], (20_000, 3)).T
    inside = points[:, is_inside(solid, points)]
    assert inside.size
    covered = [np.linalg.norm(inside.T - centre, axis=1) <= radius for centre, radius in solid.spheres()]
    assert np.any(covered, axis=0).all()
