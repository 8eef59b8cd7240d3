"""The markings have the rule books' figures."""

import numpy as np
import pytest

from pipeline.scenes.pitch import PITCHES, Pitch

EVERY_PITCH = pytest.mark.parametrize("pitch", PITCHES.values(), ids=PITCHES.keys())


def widths(pitch: Pitch, start: tuple[float, float], end: tuple[float, float]) -> list[float]:
    """Lengths in metres of the white stretches on the way between two points, to within 0.1 mm."""
    start, end = np.array(start), np.array(end)
    length = float(np.linalg.norm(end - start))
    num = round(length / 1e-4)
    x, y = start[:, None] + (end - start)[:, None] * (np.arange(num) + 0.5) / num
    edges = np.flatnonzero(np.diff(np.r_[0, pitch.is_line(x, y).astype(np.int8), 0]))
    return list((edges[1::2] - edges[::2]) * length / num)


@EVERY_PITCH
def test_lines_have_their_width(pitch: Pitch) -> None:
    half_x, half_y, line = pitch.length / 2, pitch.width / 2, pitch.line_width
    far = pitch.width * 0.43
    assert widths(pitch, (half_x * 0.9, far), (half_x + 1, far)) == pytest.approx(
        [line], abs=2e-4
    )  # goal line
    quarter = half_x * 0.45
    assert widths(pitch, (quarter, half_y - 0.3), (quarter, half_y + 1)) == pytest.approx([line], abs=2e-4)
    assert widths(pitch, (-0.3, far), (0.3, far)) == pytest.approx([line], abs=2e-4)  # halfway line
    radius = pitch.circle_radius
    assert widths(pitch, (radius * 0.6, radius * 0.6), (radius, radius)) == pytest.approx([line], abs=2e-4)


@EVERY_PITCH
def test_lines_lie_where_the_rule_book_measures(pitch: Pitch) -> None:
    half = pitch.line_width / 2
    shift = 0.0 if pitch.measured_to == "centre" else -half
    for x, y in (
        (pitch.length / 2 + shift, pitch.width * 0.4),
        (pitch.length * 0.3, pitch.width / 2 + shift),
        (pitch.length / 2 - pitch.goal_area[0] - shift, 0.2),
        (pitch.length / 2 - pitch.penalty_area[0] - shift, pitch.penalty_area[1] * 0.4),
        (pitch.length / 2 - pitch.penalty_area[0] / 2, pitch.penalty_area[1] / 2 + shift),
        (0.0, pitch.circle_radius + shift),
        (pitch.circle_radius + shift, 0.0),
        (pitch.length / 2 - pitch.penalty_mark, 0.0),
        (0.0, 0.0),
    ):
        for sign_x, sign_y in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
            place = np.array([sign_x * x]), np.array([sign_y * y])
            assert pitch.is_line(*place)[0], (x, y)


def test_corner_arcs_and_penalty_arcs_are_there_where_the_league_has_them() -> None:
    for name, radius in (("fifa", 1.0), ("robocup-msl", 0.75)):
        pitch = PITCHES[name]
        inwards = (radius - pitch.line_width / 2) / np.sqrt(2)
        corner = np.array([pitch.outer_x - inwards]), np.array([pitch.outer_y - inwards])
        assert pitch.is_line(*corner)[0]
        beyond = np.array([pitch.outer_x + inwards]), np.array([pitch.outer_y + inwards])
        assert not pitch.is_line(*beyond)[0]
    fifa = PITCHES["fifa"]
    mark = fifa.length / 2 - fifa.penalty_mark
    assert fifa.is_line(np.array([mark - 9.1]), np.array([0.0]))[0]
    assert not fifa.is_line(np.array([mark + 9.1]), np.array([3.0]))[0]
    spl = PITCHES["robocup-spl"]
    assert not spl.is_line(np.array([spl.outer_x - 0.5]), np.array([spl.outer_y - 0.5]))[0]


@EVERY_PITCH
def test_nothing_is_white_outside_the_pitch(pitch: Pitch) -> None:
    x = np.linspace(-1, 1, 400)[:, None] * (pitch.outer_x + 3)
    y = np.linspace(-1, 1, 400)[None, :] * (pitch.outer_y + 3)
    outside = (np.abs(x) > pitch.outer_x) | (np.abs(y) > pitch.outer_y)
    assert not (pitch.is_line(x, y) & outside).any()
    assert pitch.is_green(x, y, 1.0)[200, 200]
    assert not pitch.is_green(x, y, 1.0)[0, 0]
