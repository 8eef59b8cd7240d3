"""The gates of generated pictures."""

import numpy as np

from pipeline.quality import reject_reason


def test_an_ordinary_picture_passes() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert reject_reason(picture) is None


def test_a_picture_of_one_colour_does_not() -> None:
    assert reject_reason(np.full((20, 30, 3), 77, np.uint8)).startswith("constant: standard deviation 0.00")


def test_a_picture_of_extremes_does_not() -> None:
    picture = np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (20, 30, 3))
    assert reject_reason(picture) == "saturated: 100.0% of values are 0 or 255, over 95%"
    picture[:, :3] = 100
    assert reject_reason(picture) is None
