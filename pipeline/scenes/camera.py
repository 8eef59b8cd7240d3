"""Camera model: exact lens projections and the pose of the camera, in the frames of NUpbr and VisualMesh.

World: x along the pitch, y to its left, z up, metres. Camera: x forward along the optical axis, y left, z up.
Picture: x right, y down, px; (0, 0) is the corner of the first pixel, whose centre is (0.5, 0.5).
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np

__all__ = ["Camera", "Lens", "focal_length_for", "rotation_matrix"]

Projection = Literal["rectilinear", "equidistant", "equisolid"]


def _radius(projection: Projection, angle: np.ndarray | float, focal_length: float) -> np.ndarray:
    """Distance from the optical axis, in the unit of the focal length, at an angle from it in radians."""
    if projection == "rectilinear":
        return focal_length * np.tan(angle)
    if projection == "equidistant":
        return focal_length * np.asarray(angle)
    return 2 * focal_length * np.sin(np.asarray(angle) / 2)


def _angle(projection: Projection, radius: np.ndarray | float, focal_length: float) -> np.ndarray:
    """Inverse of `_radius`; nan where the lens shows nothing."""
    if projection == "rectilinear":
        return np.arctan(np.asarray(radius) / focal_length)
    if projection == "equidistant":
        angle = np.asarray(radius) / focal_length
        return np.where(angle <= math.pi, angle, np.nan)
    half_sine = np.asarray(radius) / (2 * focal_length)
    return 2 * np.arcsin(np.where(half_sine <= 1, half_sine, np.nan))


def focal_length_for(projection: Projection, fov_degrees: float, width: float) -> float:
    """Focal length, in the unit of `width`, at which `fov_degrees` fit across the picture."""
    return width / 2 / float(_radius(projection, math.radians(fov_degrees) / 2, 1.0))


@dataclass(frozen=True)
class Lens:
    """A lens and the picture behind it; hashable, so that its rays are computed once."""

    projection: Projection
    focal_length_px: float
    width: int
    height: int
    axis_px: tuple[float, float]
    """Where the optical axis meets the picture."""
    circle_radius_px: float | None = None
    """Radius of the image circle about the axis; None = it covers the picture."""

    @property
    def fov(self) -> float:
        """Full angle of the image circle, or of the farthest corner of the picture, in radians."""
        x, y = self.axis_px
        reach = math.hypot(max(x, self.width - x), max(y, self.height - y))
        if self.circle_radius_px is not None:
            reach = min(reach, self.circle_radius_px)
        angle = float(_angle(self.projection, reach, self.focal_length_px))
        return 2 * math.pi if math.isnan(angle) else 2 * angle

    @property
    def widest_angle(self) -> float:
        """Angle from the axis beyond which this projection shows nothing, in radians."""
        return math.pi / 2 - 1e-6 if self.projection == "rectilinear" else math.pi

    def enlarged(self, factor: int) -> "Lens":
        """The same lens before a picture of `factor` times the resolution."""
        return replace(
            self,
            focal_length_px=self.focal_length_px * factor,
            width=self.width * factor,
            height=self.height * factor,
            axis_px=(self.axis_px[0] * factor, self.axis_px[1] * factor),
            circle_radius_px=None if self.circle_radius_px is None else self.circle_radius_px * factor,
        )


@lru_cache(maxsize=2)
def lens_rays(lens: Lens) -> tuple[np.ndarray, np.ndarray]:
    """Direction in which each pixel centre looks, and whether the lens shows anything there.

    Returns:
        rays: float64 [3, H, W], unit vectors in the camera frame, read only.
        is_seen: bool [H, W].
    """
    right = (np.arange(lens.width) + 0.5 - lens.axis_px[0])[None, :]
    down = (np.arange(lens.height) + 0.5 - lens.axis_px[1])[:, None]
    radius = np.hypot(right, down)
    angle = _angle(lens.projection, radius, lens.focal_length_px)
    is_seen = np.isfinite(angle)
    if lens.circle_radius_px is not None:
        is_seen &= radius <= lens.circle_radius_px
    angle = np.where(np.isfinite(angle), angle, 0.0)
    sideways = np.sin(angle) / np.maximum(radius, 1e-12)
    rays = np.stack([np.cos(angle), -right * sideways, -down * sideways])
    rays.flags.writeable = is_seen.flags.writeable = False
    return rays, is_seen


def rotation_matrix(yaw: float, down: float, roll: float) -> np.ndarray:
    """Camera to world, float64 [3, 3], from heading, tilt below the horizon, clockwise roll (radians)."""
    turn_yaw = [[math.cos(yaw), -math.sin(yaw), 0], [math.sin(yaw), math.cos(yaw), 0], [0, 0, 1]]
    turn_down = [[math.cos(down), 0, math.sin(down)], [0, 1, 0], [-math.sin(down), 0, math.cos(down)]]
    turn_roll = [[1, 0, 0], [0, math.cos(roll), -math.sin(roll)], [0, math.sin(roll), math.cos(roll)]]
    return np.array(turn_yaw) @ np.array(turn_down) @ np.array(turn_roll)


@dataclass(frozen=True, eq=False)
class Camera:
    """A lens at a place in the world."""

    lens: Lens
    position: np.ndarray
    """float64 [3], metres."""
    rotation: np.ndarray
    """float64 [3, 3], camera to world."""

    def rays(self) -> np.ndarray:
        """Unit vectors in the world frame, float64 [3, H, W], one per pixel centre."""
        rays, _ = lens_rays(self.lens)
        return (self.rotation @ rays.reshape(3, -1)).reshape(rays.shape)

    def is_seen(self) -> np.ndarray:
        """Whether each pixel lies inside what the lens shows, bool [H, W]."""
        return lens_rays(self.lens)[1]

    def pixel_bounds(self, centre: np.ndarray, radius: float) -> tuple[int, int, int, int] | None:
        """A half-open window (top, bottom, left, right) with all pixels of a sphere; None = not in sight."""
        lens = self.lens
        ahead, left, up = self.rotation.T @ (centre - self.position)
        distance = math.sqrt(ahead * ahead + left * left + up * up)
        if distance <= radius:
            return 0, lens.height, 0, lens.width
        half_angle = math.asin(radius / distance)
        angle = math.acos(max(-1.0, min(1.0, ahead / distance)))
        if angle - half_angle >= lens.widest_angle:
            return None
        if angle + half_angle >= math.pi:
            return 0, lens.height, 0, lens.width
        farthest = min(angle + half_angle, lens.widest_angle)
        outer = float(_radius(lens.projection, farthest, lens.focal_length_px))
        if angle <= half_angle:
            corners = [(-outer, -outer), (outer, outer)]
        else:
            # The sphere lies in a sector of a ring about the axis: its corners and foremost points bound it.
            inner = float(_radius(lens.projection, angle - half_angle, lens.focal_length_px))
            spread = math.asin(min(1.0, math.sin(half_angle) / math.sin(angle)))
            heading = math.atan2(-up, -left)
            directions = [heading - spread, heading + spread]
            first = math.ceil((heading - spread) / (math.pi / 2))
            last = math.floor((heading + spread) / (math.pi / 2))
            foremost = [quarter * math.pi / 2 for quarter in range(first, last + 1)]
            corners = [(r * math.cos(d), r * math.sin(d)) for d in directions for r in (inner, outer)]
            corners += [(outer * math.cos(d), outer * math.sin(d)) for d in foremost]
        xs = [lens.axis_px[0] + x for x, _ in corners]
        ys = [lens.axis_px[1] + y for _, y in corners]
        top, bottom = max(0, math.floor(min(ys) - 1)), min(lens.height, math.ceil(max(ys) + 1))
        left_edge, right_edge = max(0, math.floor(min(xs) - 1)), min(lens.width, math.ceil(max(xs) + 1))
        if top >= bottom or left_edge >= right_edge:
            return None
        return top, bottom, left_edge, right_edge
