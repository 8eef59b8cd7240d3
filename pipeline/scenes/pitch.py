"""Pitches of the leagues: figures of the rule books, and which class each point of the ground has."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

__all__ = ["PITCHES", "Pitch"]


@dataclass(frozen=True, kw_only=True)
class Pitch:
    """Markings, goals and ball of one league, in metres.

    The origin is the centre mark, x runs along the pitch, y across it. All pitches are symmetric in x and y.
    """

    rule_book: str
    length: float
    width: float
    line_width: float
    border: tuple[float, float]
    """Range of the green strip outside the touch lines."""
    measured_to: Literal["outside", "centre"]
    """Whether the rule book's lengths end at the outer edge or on the middle of a line."""
    circle_radius: float
    goal_area: tuple[float, float]
    """(depth, width) from the goal line; (0, 0) = none."""
    penalty_area: tuple[float, float]
    penalty_mark: float
    """Distance of the penalty mark from the goal line."""
    mark_size: float
    """Diameter of round marks, length of a cross's arms from tip to tip."""
    mark_shape: Literal["disc", "cross"]
    penalty_arc_radius: float = 0
    corner_arc_radius: float = 0
    goal_width: float
    """Between the posts."""
    goal_height: float
    """From the ground to the crossbar's lower edge."""
    goal_depth: float
    post_width: float
    post_shape: Literal["round", "square"] = "round"
    ball_radius: float
    player: Literal["humanoid", "msl", "human"]
    player_height: tuple[float, float]

    @property
    def _half_line(self) -> float:
        return self.line_width / 2 if self.measured_to == "centre" else 0.0

    @property
    def outer_x(self) -> float:
        """Outer edge of the goal line."""
        return self.length / 2 + self._half_line

    @property
    def outer_y(self) -> float:
        """Outer edge of the touch line."""
        return self.width / 2 + self._half_line

    def is_green(self, x: np.ndarray, y: np.ndarray, border: float) -> np.ndarray:
        """Whether ground points belong to the green: the pitch and a border strip of that width."""
        return (np.abs(x) <= self.outer_x + border) & (np.abs(y) <= self.outer_y + border)

    def is_line(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Whether ground points lie on white: exact for every line, arc and mark.

        Args:
            x, y: float [...], metres.
        """
        x, y = np.abs(x), np.abs(y)
        line, half = self.line_width, self._half_line
        goal_line, touch_line = self.outer_x, self.outer_y

        # Touch lines, goal lines, halfway line
        white = (x >= goal_line - line) | (y >= touch_line - line) | (x <= line / 2)

        # Goal area and penalty area, cut off at the goal line
        for depth, width in (self.goal_area, self.penalty_area):
            if depth:
                inner_x, outer_y = self.length / 2 - depth - half, width / 2 + half
                inside = (x >= inner_x) & (y <= outer_y)
                white |= inside & ((x <= inner_x + line) | (y >= outer_y - line))

        # Circle and arcs
        white |= _on_ring(x, y, self.circle_radius + half, line)
        mark_x = self.length / 2 - self.penalty_mark
        if self.penalty_arc_radius:
            outside_area = x <= self.length / 2 - self.penalty_area[0]
            white |= outside_area & _on_ring(x - mark_x, y, self.penalty_arc_radius, line)
        if self.corner_arc_radius:
            white |= _on_ring(x - goal_line, y - touch_line, self.corner_arc_radius, line)

        # Marks
        for from_mark in (x, x - mark_x):
            white |= self._on_mark(from_mark, y)

        white &= (x <= goal_line) & (y <= touch_line)
        return white

    def _on_mark(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        reach = self.mark_size / 2
        if self.mark_shape == "disc":
            return x * x + y * y <= reach * reach
        x, half = np.abs(x), self.line_width / 2
        return ((x <= reach) & (y <= half)) | ((x <= half) & (y <= reach))


def _on_ring(x: np.ndarray, y: np.ndarray, outer_radius: float, line_width: float) -> np.ndarray:
    squared = x * x + y * y
    return (squared <= outer_radius**2) & (squared >= (outer_radius - line_width) ** 2)


PITCHES = {
    "robocup-humanoid": Pitch(
        rule_book="RoboCup Humanoid League, Laws of the Game 2020 to 2025, KidSize",
        length=9.0,
        width=6.0,
        line_width=0.05,
        border=(0.7, 1.5),
        measured_to="outside",
        circle_radius=0.75,
        goal_area=(1.0, 3.0),
        penalty_area=(2.0, 5.0),
        penalty_mark=1.5,
        mark_size=0.1,
        mark_shape="cross",
        goal_width=2.6,
        goal_height=1.2,
        goal_depth=0.6,
        post_width=0.1,
        ball_radius=0.07,
        player="humanoid",
        player_height=(0.5, 0.95),
    ),
    "robocup-humanoid-adult": Pitch(
        rule_book="RoboCup Humanoid League, Laws of the Game 2020 to 2025, AdultSize",
        length=14.0,
        width=9.0,
        line_width=0.05,
        border=(1.0, 2.0),
        measured_to="outside",
        circle_radius=1.5,
        goal_area=(1.0, 4.0),
        penalty_area=(3.0, 6.0),
        penalty_mark=2.1,
        mark_size=0.1,
        mark_shape="cross",
        goal_width=2.6,
        goal_height=1.8,
        goal_depth=0.6,
        post_width=0.1,
        ball_radius=0.11,
        player="humanoid",
        player_height=(1.2, 1.7),
    ),
    "robocup-spl": Pitch(
        rule_book="RoboCup Standard Platform League (NAO) Rule Book 2020 to 2025",
        length=9.0,
        width=6.0,
        line_width=0.05,
        border=(0.7, 0.9),
        measured_to="centre",
        circle_radius=0.75,
        goal_area=(0.6, 2.2),
        penalty_area=(1.65, 4.0),
        penalty_mark=1.3,
        mark_size=0.1,
        mark_shape="cross",
        goal_width=1.5,
        goal_height=0.8,
        goal_depth=0.5,
        post_width=0.1,
        ball_radius=0.05,
        player="humanoid",
        player_height=(0.56, 0.6),
    ),
    "robocup-msl": Pitch(
        rule_book="RoboCup Middle Size League, Rules and Regulations 2018 to 2024, 22 m field",
        length=22.0,
        width=14.0,
        line_width=0.125,
        border=(1.0, 1.8),
        measured_to="outside",
        circle_radius=2.0,
        goal_area=(0.75, 3.9),
        penalty_area=(2.25, 6.9),
        penalty_mark=3.6,
        mark_size=0.2,
        mark_shape="disc",
        corner_arc_radius=0.75,
        goal_width=2.4,
        goal_height=1.0,
        goal_depth=0.6,
        post_width=0.125,
        post_shape="square",
        ball_radius=0.11,
        player="msl",
        player_height=(0.7, 0.8),
    ),
    "fifa": Pitch(
        rule_book="IFAB Laws of the Game, law 1; 105 m x 68 m as FIFA asks for",
        length=105.0,
        width=68.0,
        line_width=0.12,
        border=(3.0, 6.0),
        measured_to="outside",
        circle_radius=9.15,
        goal_area=(5.5, 18.32),
        penalty_area=(16.5, 40.32),
        penalty_mark=11.0,
        mark_size=0.22,
        mark_shape="disc",
        penalty_arc_radius=9.15,
        corner_arc_radius=1.0,
        goal_width=7.32,
        goal_height=2.44,
        goal_depth=2.0,
        post_width=0.12,
        ball_radius=0.11,
        player="human",
        player_height=(1.65, 1.95),
    ),
}
"""Pitches by the name that a config gives."""
