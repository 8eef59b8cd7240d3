"""Rows of figures: when a goal is met, and how they are shown."""

import pytest

from benchmarks.rows import Row, as_table


def _row(value: float | None, goal: float | None = None, **more: object) -> Row:
    return Row(id="B1", what="mask", value=value, unit="x", goal=goal, **more)


@pytest.mark.parametrize(
    ("value", "goal", "is_less_better", "is_met"),
    [
        (2, 1, False, True),
        (1, 1, False, True),
        (0.5, 1, False, False),
        (0.5, 1, True, True),
        (2, 1, True, False),
        (None, 1, False, None),
        (2, None, False, None),
    ],
)
def test_a_goal_is_the_least_or_the_most(value, goal, is_less_better: bool, is_met: bool | None) -> None:
    assert _row(value, goal, is_less_better=is_less_better).is_met is is_met


def test_the_table_says_what_is_met_and_what_was_not_measured() -> None:
    rows = [_row(3800, 2000), _row(1.5, 4), _row(None, 30, note="no CUDA device"), _row(7)]
    _, met, missed, unmeasured, other = as_table(rows).splitlines()
    assert met.split() == ["B1", "mask", "3,800", "x", ">=", "2,000", "x", "met"]
    assert missed.split() == ["B1", "mask", "1.5", "x", ">=", "4", "x", "NOT", "MET"]
    assert "not measured" in unmeasured and unmeasured.endswith("no CUDA device")
    assert other.split() == ["B1", "mask", "7", "x"]


def test_json_says_whether_the_goal_is_met() -> None:
    assert _row(2, 1).as_plain()["is_met"] is True
    assert _row(None, 1).as_plain()["is_met"] is None
