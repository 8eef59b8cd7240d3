"""Rays meet the scene: which surface each pixel shows, and the label map that follows."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pipeline.palette import Palette
from pipeline.scenes.camera import Camera
from pipeline.scenes.config import ScenesConfig
from pipeline.scenes.solids import Solid
from pipeline.scenes.world import Scene

__all__ = ["Hits", "SceneError", "cast_rays", "class_ids", "render_label", "solid_window"]


class SceneError(ValueError):
    """Scenes that cannot be drawn as asked; the message says how to go on."""


class Hits(NamedTuple):
    """What each pixel centre sees."""

    rays: np.ndarray
    """float64 [3, H, W], unit vectors in the world."""
    distance: np.ndarray
    """float64 [H, W], metres along the ray to the nearest surface; inf = none."""
    solid: np.ndarray
    """int16 [H, W], index of the solid that is nearest; -1 = the ground or nothing."""

    def points(self, camera: Camera, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """World coordinates of the surface at some pixels, float64 [3, N]."""
        return camera.position[:, None] + self.rays[:, rows, columns] * self.distance[rows, columns]


def cast_rays(camera: Camera, solids: Sequence[Solid]) -> Hits:
    """Meet the ground z = 0 and the solids; the nearest surface wins, pixel by pixel."""
    rays = camera.rays()
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        distance = np.where(rays[2] < 0, -camera.position[2] / rays[2], np.inf)
        nearest = np.full(distance.shape, -1, np.int16)
        for index, solid in enumerate(solids):
            window = solid_window(camera, solid)
            if window is None:
                continue
            met = solid.meet(camera.position, rays[:, *window])
            closer = met < distance[window]
            distance[window][closer] = met[closer]
            nearest[window][closer] = index
    return Hits(rays, distance, nearest)


def solid_window(camera: Camera, solid: Solid) -> tuple[slice, slice] | None:
    """The rectangle of pixels in which a solid can be seen."""
    bounds = [camera.pixel_bounds(centre, radius) for centre, radius in solid.spheres()]
    seen = [bound for bound in bounds if bound is not None]
    if not seen:
        return None
    top, bottom, left, right = zip(*seen, strict=True)
    return slice(min(top), max(bottom)), slice(min(left), max(right))


def class_ids(palette: Palette) -> dict[str, int]:
    """Ids of a palette's classes by name.

    Raises:
        SceneError: the palette has no class named environment or none named field.
    """
    ids = {name: number for number, name in enumerate(palette.names)}
    missing = [name for name in ("environment", "field") if name not in ids]
    if missing:
        raise SceneError(
            f"Palette {palette.name!r} has no class {missing[0]!r}; scenes need the classes environment and "
            "field, and use ball, goal, robot and line where the palette has them."
        )
    return ids


def render_label(scene: Scene, config: ScenesConfig, palette: Palette) -> np.ndarray:
    """Label map of a scene, uint8 [H, W]; every pixel has the class at its centre.

    Raises:
        SceneError: the palette has no class environment or none named field.
    """
    ids = class_ids(palette)
    left_out = {name for name in ("ball", "goal", "robot") if not getattr(config, f"label_{name}")}
    things = [thing for thing in scene.things if thing.class_name in ids.keys() - left_out]
    hits = cast_rays(scene.camera, [part.solid for thing in things for part in thing.parts])

    # Ground
    label_map = np.full(hits.solid.shape, ids["environment"], np.uint8)
    is_ground = (hits.solid < 0) & np.isfinite(hits.distance) & scene.camera.is_seen()
    x, y = (
        scene.camera.position[axis] + hits.rays[axis][is_ground] * hits.distance[is_ground] for axis in (0, 1)
    )
    ground = np.where(scene.pitch.is_green(x, y, scene.border), ids["field"], ids["environment"])
    if "line" in ids:
        ground[scene.pitch.is_line(x, y)] = ids["line"]
    label_map[is_ground] = ground

    # Things
    class_of_solid = np.array([ids[thing.class_name] for thing in things for _ in thing.parts], np.uint8)
    is_thing = (hits.solid >= 0) & scene.camera.is_seen()
    label_map[is_thing] = class_of_solid[hits.solid[is_thing]]
    return label_map
