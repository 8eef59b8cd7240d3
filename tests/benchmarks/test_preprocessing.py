"""The benchmark of preprocessing runs, and what it compares is exact."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.preprocessing import rows


def test_masks_are_exact_and_noise_is_within_a_level(run_smoke: Callable[[str], dict[str, Any]]) -> None:
    found = run_smoke("preprocessing")
    assert set(found["mask_pixels_wrong"].values()) == {0}
    levels = found["max_levels_wrong"]
    assert levels["table"] == 0 and levels["label's picture"] <= 1 and levels["any picture"] <= 1
    assert levels["usual, without noise"] > 1
    speeds = np.array([*found["mpix_per_second"].values(), *found["ratios"].values()])
    assert np.isfinite(speeds).all() and (speeds > 0).all()


def test_rows_hold_the_goals() -> None:
    ratios = {
        "mask of image / pixel loop": 2500.0,
        "mask of image / memory copy": 0.2,
        "stage, table / usual": 3.0,
        "stage, any picture / usual": 4.5,
    }
    wrong = {"mask_pixels_wrong": {"label map": 0}, "ratios": ratios}
    levels = {"table": 0, "any picture": 1, "usual, without noise": 5}
    made = rows(wrong | {"max_levels_wrong": levels})
    assert [(row.id, row.value, row.goal, row.is_met) for row in made] == [
        ("B1", 2500.0, 2000, True),
        ("B1", 20.0, 15, True),
        ("B1", 0, 0, True),
        ("B2", 3.0, 4, False),
        ("B2", 4.5, 4, True),
        ("B2", 1, 1, True),
    ]
