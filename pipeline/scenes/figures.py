"""Things that stand on a pitch, built from solids: goals, balls, robots, people."""

import math
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from pipeline.scenes.pitch import Pitch
from pipeline.scenes.solids import Box, Capsule, Cone, Point, Solid, Sphere

__all__ = ["Part", "Thing", "build_ball", "build_goal", "build_human", "build_robot"]

Color = tuple[float, float, float]

SKIN: tuple[Color, ...] = ((0.62, 0.42, 0.32), (0.48, 0.30, 0.21), (0.22, 0.13, 0.09), (0.68, 0.47, 0.37))
HAIR: tuple[Color, ...] = ((0.03, 0.02, 0.02), (0.10, 0.06, 0.04), (0.30, 0.20, 0.10), (0.25, 0.25, 0.26))
TROUSERS: tuple[Color, ...] = ((0.02, 0.02, 0.03), (0.03, 0.05, 0.12), (0.10, 0.10, 0.11), (0.20, 0.16, 0.10))
SHIRTS: tuple[Color, ...] = (
    (0.02, 0.02, 0.03),
    (0.55, 0.55, 0.55),
    (0.45, 0.03, 0.03),
    (0.03, 0.10, 0.35),
    (0.60, 0.45, 0.03),
    (0.10, 0.12, 0.14),
    (0.60, 0.16, 0.02),
    (0.05, 0.25, 0.30),
)
TEAMS: tuple[Color, ...] = ((0.60, 0.03, 0.03), (0.03, 0.12, 0.50), (0.55, 0.15, 0.02), (0.05, 0.35, 0.50))
PLASTIC: tuple[Color, ...] = ((0.72, 0.72, 0.72), (0.45, 0.46, 0.48), (0.10, 0.10, 0.11), (0.20, 0.20, 0.22))
"""Colours are linear light, 0 to 1."""


class Part(NamedTuple):
    """One solid and its surface."""

    solid: Solid
    color: Color
    pattern: Literal["plain", "patches", "net"] = "plain"
    gloss: float = 0.0


@dataclass(frozen=True)
class Thing:
    """Parts that belong together."""

    class_name: str
    """Name of its class in a palette."""
    parts: tuple[Part, ...]
    place: tuple[float, float]
    """Where it stands on the ground."""
    radius: float
    """Of its footprint."""
    height: float
    scenery: tuple[Part, ...] = field(default=())
    """Parts that only photo-like pictures show: a goal's net."""


class _Stand:
    """Frame of a thing: forward, left, up, from where it stands and which way it faces."""

    def __init__(self, place: tuple[float, float], yaw: float):
        self.place, self.yaw = place, yaw
        self._cosine, self._sine = math.cos(yaw), math.sin(yaw)

    def at(self, forward: float, left: float, up: float) -> Point:
        return (
            self.place[0] + self._cosine * forward - self._sine * left,
            self.place[1] + self._sine * forward + self._cosine * left,
            up,
        )


def _one_of(rng: np.random.Generator, choices: tuple[Color, ...]) -> Color:
    return choices[rng.integers(len(choices))]


def build_goal(pitch: Pitch, side: int) -> Thing:
    """The goal at the end `side`, -1 or 1, of x. Its posts stand flush with the goal line's outer edge."""
    white = (0.75, 0.75, 0.75)
    post = pitch.post_width
    x = side * (pitch.outer_x - post / 2)
    y, top = (pitch.goal_width + post) / 2, pitch.goal_height + post / 2
    if pitch.post_shape == "square":
        frame = [Box((x, end * y, top / 2), (post / 2, post / 2, top / 2)) for end in (-1, 1)]
        frame.append(Box((x, 0.0, top), (post / 2, y + post / 2, post / 2)))
    else:
        frame = [Cone((x, end * y, 0.0), (x, end * y, top), post / 2, post / 2) for end in (-1, 1)]
        frame.append(Capsule((x, -y, top), (x, y, top), post / 2))
    back = x + side * pitch.goal_depth
    thin = min(0.02, post / 4)
    grey = (0.35, 0.35, 0.36)
    bars = [Capsule((back, -y, thin), (back, y, thin), thin), Capsule((back, -y, top), (back, y, top), thin)]
    for end in (-y, y):
        bars += [
            Capsule((x, end, thin), (back, end, thin), thin),
            Capsule((x, end, top), (back, end, top), thin),
        ]
        bars += [Capsule((back, end, 0.0), (back, end, top), thin)]
    middle, half_depth = (x + back) / 2, abs(back - x) / 2
    nets = [Box((back, 0.0, top / 2), (0.005, y, top / 2))]
    nets += [Box((middle, end, top / 2), (half_depth, 0.005, top / 2)) for end in (-y, y)]
    return Thing(
        "goal",
        tuple(Part(solid, white, gloss=0.2) for solid in frame),
        (x, 0.0),
        y,
        top,
        tuple(Part(bar, grey) for bar in bars) + tuple(Part(net, (0.5, 0.5, 0.5), "net") for net in nets),
    )


def build_ball(pitch: Pitch, rng: np.random.Generator, place: tuple[float, float]) -> Thing:
    """A ball on the ground: black and white patches; yellow or orange in the middle size league."""
    radius = pitch.ball_radius
    color, pattern = (0.75, 0.75, 0.75), "patches"
    if pitch.player == "msl":
        color, pattern = (
            ((0.75, 0.62, 0.03), (0.75, 0.55, 0.03), (0.80, 0.18, 0.02))[rng.integers(3)],
            "plain",
        )
    part = Part(Sphere((*place, radius), radius), color, pattern, 0.25)
    return Thing("ball", (part,), place, radius, 2 * radius)


def build_robot(pitch: Pitch, rng: np.random.Generator, place: tuple[float, float], yaw: float) -> Thing:
    """A player of the pitch's league, labelled robot: a humanoid robot, an MSL robot, or a human."""
    height = float(rng.uniform(*pitch.player_height))
    if pitch.player == "msl":
        return _build_msl_robot(rng, place, yaw, height)
    if pitch.player == "human":
        team = _one_of(rng, TEAMS)
        return build_human(rng, place, yaw, height=height, shirt=team, trousers=team, class_name="robot")
    return _build_humanoid(rng, place, yaw, height)


def _build_humanoid(rng: np.random.Generator, place: tuple[float, float], yaw: float, height: float) -> Thing:
    stand, h = _Stand(place, yaw), height
    shell, joint = _one_of(rng, PLASTIC), (0.06, 0.06, 0.07)
    shirt = _one_of(rng, TEAMS) if rng.random() < 0.7 else shell
    stride, swing = rng.uniform(-0.09, 0.09) * h, rng.uniform(-0.12, 0.16) * h
    parts = [
        Part(Box(stand.at(0, 0, 0.59 * h), (0.08 * h, 0.125 * h, 0.135 * h), yaw), shirt),
        Part(Box(stand.at(0, 0, 0.44 * h), (0.07 * h, 0.10 * h, 0.04 * h), yaw), joint),
        Part(Capsule(stand.at(0, 0, 0.72 * h), stand.at(0, 0, 0.80 * h), 0.04 * h), joint),
        Part(Sphere(stand.at(0.01 * h, 0, 0.89 * h), 0.11 * h), shell, gloss=0.4),
        Part(Sphere(stand.at(0.085 * h, 0, 0.90 * h), 0.05 * h), joint, gloss=0.4),
    ]
    for side in (-1, 1):
        foot = side * stride
        hip, knee, ankle = (
            stand.at(0, side * 0.075 * h, 0.43 * h),
            stand.at(0.03 * h + foot * 0.6, side * 0.08 * h, 0.24 * h),
            stand.at(foot, side * 0.08 * h, 0.06 * h),
        )
        parts += [
            Part(Capsule(hip, knee, 0.055 * h), shell, gloss=0.2),
            Part(Capsule(knee, ankle, 0.05 * h), shell, gloss=0.2),
            Part(
                Box(
                    stand.at(foot + 0.03 * h, side * 0.085 * h, 0.03 * h),
                    (0.12 * h, 0.065 * h, 0.03 * h),
                    yaw,
                ),
                shell,
            ),
        ]
        shoulder, elbow, hand = (
            stand.at(0, side * 0.165 * h, 0.69 * h),
            stand.at(-0.02 * h, side * 0.20 * h, 0.54 * h),
            stand.at(0.08 * h + side * swing, side * 0.19 * h, 0.42 * h),
        )
        parts += [
            Part(Capsule(shoulder, elbow, 0.04 * h), shell, gloss=0.2),
            Part(Capsule(elbow, hand, 0.035 * h), shell, gloss=0.2),
        ]
    return Thing("robot", tuple(parts), place, 0.25 * h, h)


def _build_msl_robot(
    rng: np.random.Generator, place: tuple[float, float], yaw: float, height: float
) -> Thing:
    stand, h = _Stand(place, yaw), height
    black, dark = (0.012, 0.012, 0.014), (0.04, 0.04, 0.045)
    shirt = ((0.05, 0.28, 0.60), (0.60, 0.12, 0.02), (0.60, 0.10, 0.16), black)[rng.integers(4)]
    parts = [
        Part(Cone(stand.at(0, 0, 0.03), stand.at(0, 0, 0.14 * h), 0.25, 0.26), black, gloss=0.15),
        Part(Cone(stand.at(0, 0, 0.14 * h), stand.at(0, 0, 0.32 * h), 0.25, 0.17), dark),
        Part(Cone(stand.at(0, 0, 0.32 * h), stand.at(0, 0, 0.50 * h), 0.15, 0.14), black),
        Part(Cone(stand.at(0, 0, 0.48 * h), stand.at(0, 0, 0.76 * h), 0.165, 0.105), shirt),
        Part(Cone(stand.at(0, 0, 0.76 * h), stand.at(0, 0, 0.88 * h), 0.06, 0.06), black),
        Part(Cone(stand.at(0, 0, 0.88 * h), stand.at(0, 0, h), 0.085, 0.085), dark, gloss=0.5),
    ]
    for angle in (0.5, 2.6, 4.7):
        wheel = (0.20 * math.cos(angle), 0.20 * math.sin(angle))
        parts.append(Part(Sphere(stand.at(*wheel, 0.07), 0.07), dark))
    for side in (-1, 1):
        parts.append(Part(Box(stand.at(0.22, side * 0.11, 0.13), (0.05, 0.03, 0.07), yaw), dark))
    return Thing("robot", tuple(parts), place, 0.27, h)


def build_human(
    rng: np.random.Generator,
    place: tuple[float, float],
    yaw: float,
    *,
    height: float | None = None,
    shirt: Color | None = None,
    trousers: Color | None = None,
    class_name: str = "environment",
) -> Thing:
    """A standing or walking human; by default a bystander, whose class is environment."""
    h = float(rng.uniform(1.55, 1.92)) if height is None else height
    stand, skin = _Stand(place, yaw), _one_of(rng, SKIN)
    shirt = _one_of(rng, SHIRTS) if shirt is None else shirt
    trousers = _one_of(rng, TROUSERS) if trousers is None else trousers
    stride, swing = rng.uniform(-0.16, 0.16) * h, rng.uniform(-0.10, 0.14) * h
    parts = [
        Part(Capsule(stand.at(0, -0.045 * h, 0.74 * h), stand.at(0, 0.045 * h, 0.74 * h), 0.075 * h), shirt),
        Part(Capsule(stand.at(0, 0, 0.53 * h), stand.at(0, 0, 0.74 * h), 0.082 * h), shirt),
        Part(Capsule(stand.at(0, 0, 0.82 * h), stand.at(0.01 * h, 0, 0.88 * h), 0.03 * h), skin),
        Part(Sphere(stand.at(0.012 * h, 0, 0.925 * h), 0.063 * h), skin),
        Part(Sphere(stand.at(-0.005 * h, 0, 0.942 * h), 0.062 * h), _one_of(rng, HAIR)),
    ]
    for side in (-1, 1):
        foot = side * stride
        hip, knee, ankle = (
            stand.at(0, side * 0.05 * h, 0.49 * h),
            stand.at(0.02 * h + foot * 0.55, side * 0.055 * h, 0.27 * h),
            stand.at(foot, side * 0.06 * h, 0.045 * h),
        )
        parts += [
            Part(Capsule(hip, knee, 0.05 * h), trousers),
            Part(Capsule(knee, ankle, 0.036 * h), trousers),
            Part(
                Capsule(
                    stand.at(foot - 0.02 * h, side * 0.06 * h, 0.022 * h),
                    stand.at(foot + 0.09 * h, side * 0.065 * h, 0.02 * h),
                    0.022 * h,
                ),
                (0.03, 0.03, 0.03),
            ),
        ]
        shoulder, elbow, hand = (
            stand.at(0, side * 0.115 * h, 0.78 * h),
            stand.at(-0.02 * h, side * 0.145 * h, 0.62 * h),
            stand.at(0.05 * h - side * swing, side * 0.14 * h, 0.48 * h),
        )
        parts += [
            Part(Capsule(shoulder, elbow, 0.035 * h), shirt),
            Part(Capsule(elbow, hand, 0.028 * h), skin),
        ]
    return Thing(class_name, tuple(parts), place, 0.16 * h, h)
