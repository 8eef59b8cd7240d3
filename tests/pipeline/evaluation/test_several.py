"""Means over judges, worked out by hand."""

import pytest

from pipeline.evaluation.scores import Scores
from pipeline.evaluation.several import mean_and_sd, mean_of


def test_mean_and_deviation_over_judges_by_hand() -> None:
    found = mean_of(
        [
            Scores(2, 0.5, 0.2, {"ball": 0.1, "grass": 0.3, "sky": None}),
            Scores(2, 0.7, 0.4, {"ball": 0.1, "grass": 0.7, "sky": None}),
        ]
    )
    assert found.num_images == 2
    assert (found.pixel_accuracy, found.pixel_accuracy_sd) == pytest.approx((0.6, 0.02**0.5))
    assert (found.miou, found.miou_sd) == pytest.approx((0.3, 0.02**0.5))
    assert found.iou == {"ball": pytest.approx(0.1), "grass": pytest.approx(0.5), "sky": None}
    assert found.iou_sd == {"ball": pytest.approx(0), "grass": pytest.approx(0.08**0.5), "sky": None}


def test_one_judge_has_no_deviation_and_no_value_no_mean() -> None:
    assert mean_of([Scores(1, 0.5, 0.25, {"ball": 0.25})]).miou_sd is None
    assert mean_and_sd([0.25]) == (0.25, None)
    assert mean_and_sd([None, 0.25, None]) == (0.25, None)
    assert mean_and_sd([None]) == (None, None)
