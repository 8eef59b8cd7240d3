"""Scores: worked out by hand; what is ignored or absent does not count."""

import numpy as np
import pytest

from pipeline.evaluation.scores import score
from pipeline.palette import Palette


def test_intersection_over_union_by_hand(palette: Palette) -> None:
    label = np.array([[[0, 0, 0, 1]]], np.uint8)
    answer = np.array([[[0, 0, 1, 1]]], np.uint8)
    scores = score(answer, label, palette)
    assert scores.pixel_accuracy == 0.75
    assert scores.iou == {"grass": 2 / 3, "ball": 0.5, "sky": None}
    assert scores.miou == pytest.approx((2 / 3 + 0.5) / 2)


def test_what_is_read_right_scores_one(palette: Palette) -> None:
    label = np.random.default_rng(0).integers(0, 3, (2, 8, 8), dtype=np.uint8)
    scores = score(label, label, palette)
    assert (scores.pixel_accuracy, scores.miou, scores.num_images) == (1, 1, 2)


def test_ignored_pixels_do_not_count(palette: Palette) -> None:
    label = np.array([[[0, 1, 3, 3]]], np.uint8)
    right, wrong = (np.array([[[0, 1, x, x]]], np.uint8) for x in (0, 2))
    assert score(right, label, palette) == score(wrong, label, palette)
    assert "unknown" not in score(right, label, palette).iou


def test_a_class_that_no_label_holds_lowers_others_only_where_it_is_wrong(palette: Palette) -> None:
    label = np.zeros((1, 2, 2), np.uint8)
    answer = np.array([[[0, 0], [0, 2]]], np.uint8)
    scores = score(answer, label, palette)
    assert scores.iou == {"grass": 0.75, "ball": None, "sky": None}
    assert scores.miou == 0.75


def test_the_order_of_images_changes_nothing(palette: Palette) -> None:
    random = np.random.default_rng(1)
    answers, labels = random.integers(0, 3, (2, 4, 8, 8), dtype=np.uint8)
    assert score(answers[::-1], labels[::-1], palette) == score(answers, labels, palette)
