"""Distances between sets: none between equals, more the further, and as worked out by hand."""

import numpy as np
import pytest

from pipeline.evaluation.distribution import frechet_distance, kernel_distance


def normal(num: int, mean: float = 0, deviation: float = 1, seed: int = 0, size: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, deviation, (num, size))


def test_frechet_distance_between_normals() -> None:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2) = 4 * 3^2 + 4 * (2 - 1)^2."""
    found = frechet_distance(normal(40_000), normal(40_000, mean=3, deviation=2, seed=1))
    assert found == pytest.approx(40, rel=0.02)


def test_a_set_is_at_no_frechet_distance_from_itself() -> None:
    one = normal(50)
    assert frechet_distance(one, one[::-1]) == pytest.approx(0, abs=1e-8)
    few = normal(3, size=8)  # fewer images than features: covariances without full rank
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-6)


def test_kernel_distance_by_hand() -> None:
    """One feature, two images each: k(x, y) = (x y + 1)^3."""
    one, other = np.array([[0.0], [1.0]]), np.array([[2.0], [3.0]])
    cross = [(x * y + 1) ** 3 for x in (0, 1) for y in (2, 3)]
    assert kernel_distance(one, other) == pytest.approx(1 + 7**3 - 2 * np.mean(cross))


def test_kernel_distance_is_unbiased() -> None:
    same = [kernel_distance(normal(20, seed=2 * n), normal(20, seed=2 * n + 1)) for n in range(200)]
    assert abs(np.mean(same)) < 3 * np.std(same) / np.sqrt(len(same))
    assert min(same) < 0 < max(same)
    assert kernel_distance(normal(20), normal(20, mean=1, seed=1)) > max(same)


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
def test_one_image_is_no_set(distance) -> None:
    assert distance(normal(1), normal(5)) is None
    assert distance(normal(5), normal(1)) is None
