"""What one scene holds and where: drawn from the config, a seed and a number, and from nothing else."""

import math
from dataclasses import dataclass

import numpy as np

from pipeline.scenes.camera import Camera, Lens, focal_length_for, rotation_matrix
from pipeline.scenes.config import ScenesConfig
from pipeline.scenes.figures import Thing, build_ball, build_goal, build_human, build_robot
from pipeline.scenes.pitch import PITCHES, Pitch

__all__ = [
    "LABEL_SCENES",
    "PHOTO_LOOKS",
    "PHOTO_SCENES",
    "RENDER_LOOKS",
    "VENUES",
    "Scene",
    "draw_scene",
    "scene_rng",
]

LABEL_SCENES, PHOTO_SCENES, PHOTO_LOOKS, VENUES, RENDER_LOOKS = range(5)
"""Streams of random numbers: scenes of labels; scenes of photo-like pictures, their looks, their venues; the
looks of renders."""

IN_SIGHT_FRACTION = 0.75
"""Share of things that are placed before the camera; the others stand anywhere on the pitch."""
PLACEMENT_TRIES = 20


@dataclass(frozen=True, eq=False)
class Scene:
    """A camera on a pitch with things on it."""

    pitch: Pitch
    border: float
    """Width of the green strip outside the touch lines, metres."""
    camera: Camera
    things: tuple[Thing, ...]


def scene_rng(config: ScenesConfig, stream: int, index: int) -> np.random.Generator:
    """Random numbers of scene `index` of a stream; the same whatever was drawn before."""
    return np.random.default_rng([config.seed, stream, index])


def draw_scene(config: ScenesConfig, stream: int, index: int) -> Scene:
    """Draw scene number `index` of LABEL_SCENES or PHOTO_SCENES."""
    rng = scene_rng(config, stream, index)
    pitch = PITCHES[config.pitch]
    border = float(rng.uniform(*(config.border_m or pitch.border)))
    camera = _place_camera(config, pitch, rng)
    things = [build_goal(pitch, side) for side in (-1, 1)]
    occupied = [((camera.position[0], camera.position[1]), 0.3 + pitch.ball_radius)]
    for build, counts, radius, outside in (
        (_person, config.num_people, 0.35, 3.0),
        (build_robot, config.num_robots, 0.3, 0.0),
        (_ball, config.num_balls, pitch.ball_radius, 0.0),
    ):
        for _ in range(int(rng.integers(counts[0], counts[1] + 1))):
            place = _free_place(config, pitch, border + outside, camera, rng, radius, occupied)
            if place is not None:
                occupied.append((place, radius))
                things.append(build(pitch, rng, place, float(rng.uniform(-math.pi, math.pi))))
    return Scene(pitch, border, camera, tuple(things))


def _person(pitch: Pitch, rng: np.random.Generator, place: tuple[float, float], yaw: float) -> Thing:
    return build_human(rng, place, yaw)


def _ball(pitch: Pitch, rng: np.random.Generator, place: tuple[float, float], yaw: float) -> Thing:
    return build_ball(pitch, rng, place)


def _place_camera(config: ScenesConfig, pitch: Pitch, rng: np.random.Generator) -> Camera:
    """A camera anywhere on the pitch, looking towards another point of it."""
    x, y = rng.uniform(-1, 1, 2) * (pitch.length / 2, pitch.width / 2)
    towards = rng.uniform(-1, 1, 2) * (pitch.length / 2, pitch.width / 2)
    yaw = math.atan2(towards[1] - y, towards[0] - x)
    down, roll = np.radians([rng.uniform(*config.pitch_degrees), rng.uniform(*config.roll_degrees)])
    right, below = rng.uniform(*config.centre_offset, 2) * config.width
    focal_length = focal_length_for(config.lens, float(rng.uniform(*config.fov_degrees)), config.width)
    circle = None
    if config.image_circle is not None:
        circle = float(rng.uniform(*config.image_circle)) * config.width / 2
    lens = Lens(
        config.lens,
        focal_length,
        config.width,
        config.height,
        (config.width / 2 + float(right), config.height / 2 + float(below)),
        circle,
    )
    height = float(rng.uniform(*config.camera_height_m))
    return Camera(lens, np.array([x, y, height]), rotation_matrix(yaw, float(down), float(roll)))


def _free_place(
    config: ScenesConfig,
    pitch: Pitch,
    border: float,
    camera: Camera,
    rng: np.random.Generator,
    radius: float,
    occupied: list[tuple[tuple[float, float], float]],
) -> tuple[float, float] | None:
    """A place where nothing stands yet, or None when none is found; most places are before the camera."""
    limit_x, limit_y = pitch.outer_x + border, pitch.outer_y + border
    forward = camera.rotation[:, 0]
    heading = math.atan2(forward[1], forward[0])
    half_view = min(math.pi, math.radians(config.fov_degrees[1]) / 2)
    farthest = pitch.length * 0.6
    nearest = max(0.5, 0.8 * camera.position[2])
    for _ in range(PLACEMENT_TRIES):
        if rng.random() < IN_SIGHT_FRACTION:
            direction = heading + rng.uniform(-half_view, half_view)
            distance = nearest * (farthest / nearest) ** rng.uniform(0.15, 1)
            x = camera.position[0] + distance * math.cos(direction)
            y = camera.position[1] + distance * math.sin(direction)
        else:
            x, y = rng.uniform(-limit_x, limit_x), rng.uniform(-limit_y, limit_y)
        inside = abs(x) <= limit_x and abs(y) <= limit_y
        if inside and all(math.dist((x, y), place) > radius + other for place, other in occupied):
            return float(x), float(y)
    return None
