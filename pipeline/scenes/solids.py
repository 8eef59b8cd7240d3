"""Solids that rays meet: sphere, capsule, truncated cone, box. All in world coordinates, metres.

`meet(origin, rays)` returns the distance along each unit ray [3, ...] to the first point of the surface, inf
where the ray misses; `normals(points)` the outward unit normals at points [3, ...] of the surface;
`spheres()` spheres (centre, radius) that cover the solid.
"""

import math
from dataclasses import dataclass

import numpy as np

__all__ = ["Box", "Capsule", "Cone", "Solid", "Sphere"]

Point = tuple[float, float, float]


def _dot(vector: np.ndarray, rays: np.ndarray) -> np.ndarray:
    return vector[0] * rays[0] + vector[1] * rays[1] + vector[2] * rays[2]


def _nearest_root(a: np.ndarray | float, half_b: np.ndarray, c: np.ndarray | float) -> np.ndarray:
    """Smaller root of a t^2 + 2 half_b t + c for a > 0; nan where there is none."""
    return (-half_b - np.sqrt(half_b * half_b - a * c)) / a


def _in_front(distance: np.ndarray) -> np.ndarray:
    return np.where(distance > 0, distance, np.inf)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.sqrt((vectors * vectors).sum(0)), 1e-12)


def _column(point: Point | np.ndarray, like: np.ndarray) -> np.ndarray:
    return np.reshape(point, (3,) + (1,) * (like.ndim - 1))


def _beads(start: np.ndarray, end: np.ndarray, radius: float) -> list[tuple[np.ndarray, float]]:
    """Spheres along a rod, few and tight."""
    length = float(np.linalg.norm(end - start))
    num = max(1, min(8, math.ceil(length / (2 * radius))))
    reach = math.hypot(length / (2 * num), radius)
    return [(start + (end - start) * ((i + 0.5) / num), reach) for i in range(num)]


@dataclass(frozen=True)
class Sphere:
    centre: Point
    radius: float

    def meet(self, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
        from_centre = origin - self.centre
        half_b = _dot(from_centre, rays)
        return _in_front(_nearest_root(1.0, half_b, from_centre @ from_centre - self.radius**2))

    def normals(self, points: np.ndarray) -> np.ndarray:
        return _unit(points - _column(self.centre, points))

    def spheres(self) -> list[tuple[np.ndarray, float]]:
        return [(np.array(self.centre), self.radius)]


@dataclass(frozen=True)
class Capsule:
    """All points within `radius` of a segment: limbs."""

    start: Point
    end: Point
    radius: float

    def meet(self, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
        axis = np.subtract(self.end, self.start)
        from_start = origin - self.start
        length2, along, depth = axis @ axis, _dot(axis, rays), axis @ from_start
        a = length2 - along * along
        half_b = length2 * _dot(from_start, rays) - depth * along
        c = length2 * (from_start @ from_start) - depth * depth - self.radius**2 * length2
        distance = _nearest_root(np.maximum(a, 1e-12), half_b, c)
        place = depth + distance * along
        on_side = (place > 0) & (place < length2)
        ends = np.minimum(
            Sphere(self.start, self.radius).meet(origin, rays),
            Sphere(self.end, self.radius).meet(origin, rays),
        )
        return np.where(on_side, _in_front(distance), ends)

    def normals(self, points: np.ndarray) -> np.ndarray:
        axis = np.subtract(self.end, self.start)
        from_start = points - _column(self.start, points)
        place = np.clip(_dot(axis, from_start) / (axis @ axis), 0, 1)
        return _unit(from_start - _column(axis, points) * place)

    def spheres(self) -> list[tuple[np.ndarray, float]]:
        axis = np.subtract(self.end, self.start)
        tip = axis / np.linalg.norm(axis) * self.radius
        return _beads(self.start - tip, self.end + tip, self.radius)


@dataclass(frozen=True)
class Cone:
    """A cone without its tip, flat at both ends; a cylinder when the radii are equal: posts, bars, bodies."""

    start: Point
    end: Point
    start_radius: float
    end_radius: float

    def _axis(self) -> tuple[np.ndarray, float, float]:
        axis = np.subtract(self.end, self.start)
        length = float(np.linalg.norm(axis))
        return axis / length, length, (self.end_radius - self.start_radius) / length

    def meet(self, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
        axis, length, slope = self._axis()
        from_start = origin - self.start
        place, along = axis @ from_start, _dot(axis, rays)
        outline = self.start_radius + slope * place
        a = 1 - (1 + slope * slope) * along * along
        half_b = _dot(from_start, rays) - (place + slope * outline) * along
        c = from_start @ from_start - place * place - outline * outline
        a = np.where(np.abs(a) < 1e-12, 1e-12, a)
        root = np.sqrt(half_b * half_b - a * c)
        nearest = np.full(along.shape, np.inf)
        for distance in ((-half_b - root) / a, (-half_b + root) / a):
            height = place + distance * along
            on_side = (height >= 0) & (height <= length) & (distance > 0)
            nearest = np.where(on_side & (distance < nearest), distance, nearest)
        for cap, radius in ((0.0, self.start_radius), (length, self.end_radius)):
            distance = (cap - place) / np.where(along == 0, 1e-12, along)
            squared = (
                (from_start @ from_start) + distance * (2 * _dot(from_start, rays) + distance) - cap * cap
            )
            on_cap = (squared <= radius * radius) & (distance > 0)
            nearest = np.where(on_cap & (distance < nearest), distance, nearest)
        return nearest

    def normals(self, points: np.ndarray) -> np.ndarray:
        axis, length, slope = self._axis()
        from_start = points - _column(self.start, points)
        height = _dot(axis, from_start)
        column = _column(axis, points)
        side = _unit(_unit(from_start - column * height) - column * slope)
        side = np.where(height >= length - 1e-6, column, side)
        return np.where(height <= 1e-6, -column, side)

    def spheres(self) -> list[tuple[np.ndarray, float]]:
        return _beads(np.array(self.start), np.array(self.end), max(self.start_radius, self.end_radius))


@dataclass(frozen=True)
class Box:
    """An upright box, turned by `yaw` radians about the vertical."""

    centre: Point
    half_size: Point
    yaw: float = 0.0

    def _to_box(self, vectors: np.ndarray) -> np.ndarray:
        cosine, sine = math.cos(self.yaw), math.sin(self.yaw)
        return np.stack(
            [cosine * vectors[0] + sine * vectors[1], cosine * vectors[1] - sine * vectors[0], vectors[2]]
        )

    def meet(self, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
        start = self._to_box(origin - self.centre)
        rays = self._to_box(rays)
        enter, leave = -np.inf, np.inf
        for place, ray, half in zip(start, rays, self.half_size, strict=True):
            inverse = 1 / np.where(np.abs(ray) < 1e-12, 1e-12, ray)
            one, other = (-half - place) * inverse, (half - place) * inverse
            enter, leave = (
                np.maximum(enter, np.minimum(one, other)),
                np.minimum(leave, np.maximum(one, other)),
            )
        return np.where(enter <= leave, _in_front(enter), np.inf)

    def normals(self, points: np.ndarray) -> np.ndarray:
        local = self._to_box(points - _column(self.centre, points)) / _column(self.half_size, points)
        face = np.argmax(np.abs(local), axis=0)
        local = np.where(np.arange(3).reshape(_column((0, 0, 0), points).shape) == face, np.sign(local), 0.0)
        cosine, sine = math.cos(self.yaw), math.sin(self.yaw)
        return np.stack([cosine * local[0] - sine * local[1], sine * local[0] + cosine * local[1], local[2]])

    def spheres(self) -> list[tuple[np.ndarray, float]]:
        return [(np.array(self.centre), math.hypot(*self.half_size))]


Solid = Sphere | Capsule | Cone | Box
