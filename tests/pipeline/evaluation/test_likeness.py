"""Copies are found, mirrored ones too; what is new is not taken for one; equal variants have no diversity."""

from collections.abc import Callable

import numpy as np
import pytest

from pipeline.evaluation.likeness import copying_of, diversity_of, nearest
from pipeline.evaluation.results import Copying


class PixelReader:
    """Stands in for a judge: its features are the means of a grid's cells."""

    def features(self, images: np.ndarray, *, grid: int) -> np.ndarray:
        num, height, width, _ = images.shape
        cells = images.reshape(num, grid, height // grid, grid, width // grid, 3).astype(float)
        return cells.mean((2, 4)).reshape(num, -1)


def noise(num: int, seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (num, 4, 4, 3), dtype=np.uint8)
    return coarse.repeat(4, axis=1).repeat(4, axis=2)


@pytest.fixture
def look() -> Callable[..., Copying]:
    def look(images: np.ndarray, train: np.ndarray, test: np.ndarray) -> Copying:
        return copying_of(
            PixelReader(),
            images,
            train,
            test,
            label_names=[f"label {n}" for n in range(len(images))],
            photo_names=[f"photo {n}" for n in range(len(train))],
        )

    return look


@pytest.mark.parametrize("mirror", [1, -1])
def test_copies_have_no_distance(look: Callable, mirror: int) -> None:
    train = noise(12, 0)
    found = look(train[3:7, :, ::mirror], train, noise(6, 1))
    assert found.ratio == found.smallest_ratio == 0
    assert (found.closest_label, found.closest_photo) == ("label 0", "photo 3")


def test_what_is_new_is_as_far_as_held_out_photographs(look: Callable) -> None:
    found = look(noise(40, 2), noise(40, 0), noise(40, 1))
    assert found.ratio == pytest.approx(1, abs=0.1)
    assert found.reference == "held-out photographs"


def test_one_copy_among_many_is_named(look: Callable) -> None:
    train, images = noise(20, 0), noise(20, 2)
    images[13] = train[5]
    found = look(images, train, noise(20, 1))
    assert found.ratio > 0.8
    assert found.smallest_ratio == 0
    assert (found.closest_label, found.closest_photo) == ("label 13", "photo 5")


def test_without_held_out_photographs_training_ones_are_compared_among_themselves(look: Callable) -> None:
    found = look(noise(40, 2), noise(40, 0), noise(0, 1))
    assert found.reference == "training photographs"
    assert found.ratio == pytest.approx(1, abs=0.15)


def test_the_nearest_of_others() -> None:
    one, other = np.array([[0.0, 0], [5, 5]]), np.array([[4.0, 5], [0, 2], [9, 9]])
    distance, index = nearest(one, other)
    assert index.tolist() == [1, 0]
    assert distance.tolist() == [2, 1]
    assert nearest(other, other, without_itself=True)[1].tolist() == [1, 0, 0]


def test_equal_variants_have_no_diversity() -> None:
    images = noise(6, 0)
    found = diversity_of(PixelReader(), np.concatenate([images, images]), 2)
    assert (found.l1, found.features) == (0, 0)
    assert found.between_labels > 0
    assert diversity_of(PixelReader(), images, 1) is None


def test_diversity_by_hand() -> None:
    black = np.zeros((2, 16, 16, 3), np.uint8)
    found = diversity_of(PixelReader(), np.concatenate([black, black + 255, black]), 3)
    assert found.l1 == pytest.approx(0.5)
    assert found.features == pytest.approx(255 * np.sqrt(48) / 2)
