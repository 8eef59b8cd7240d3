"""A judge learns what it is shown; the same seed gives the same judge; ignored classes teach nothing."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from pipeline.evaluation import judge_training
from pipeline.evaluation.config import EvaluateConfig
from pipeline.evaluation.judge import Judge
from pipeline.evaluation.judge_training import class_weights, train_judge
from pipeline.evaluation.labelled_images import LabelledImages
from pipeline.evaluation.scores import score
from pipeline.palette import Palette

CPU = torch.device("cpu")


@pytest.fixture
def train(palette: Palette, budget: EvaluateConfig) -> Callable[..., Judge]:
    def train(*sets: LabelledImages, **changes: object) -> Judge:
        config = budget.model_copy(update=changes)
        return train_judge(sets, palette.is_ignored, config, device=CPU, precision="fp32")

    return train


def weights(judge: Judge) -> list[torch.Tensor]:
    return list(judge.segmenter.state_dict().values())


def same(one: Judge, other: Judge) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def test_it_reads_images_that_it_has_not_seen(train: Callable, painted: Callable, palette: Palette) -> None:
    judge, held_out = train(painted(8)), painted(4, seed=9)
    assert score(judge.read(held_out.images), held_out.label_maps, palette).miou > 0.8


def test_the_same_seed_gives_the_same_judge_bit_for_bit(train: Callable, painted: Callable) -> None:
    few = {"judge_images": 12}
    torch.manual_seed(1)
    first = train(painted(4), **few)
    torch.manual_seed(2)
    state = torch.random.get_rng_state()
    assert same(first, train(painted(4), **few))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not same(first, train(painted(4), seed=1, **few))


def test_every_set_has_an_equal_share(painted: Callable) -> None:
    """And every image of a set is seen once before any is seen twice."""
    small, large = painted(2), painted(6, seed=1)
    small.label_maps[:] = 0
    large.label_maps[:] = np.arange(1, 7, dtype=np.uint8)[:, None, None]
    _, shown = judge_training._batch([small, large], range(12), seed=0)
    kinds = shown[:, 0, 0]
    assert (kinds[::2] == 0).all()
    assert sorted(kinds[1::2]) == [1, 2, 3, 4, 5, 6]


def test_what_ignored_pixels_show_teaches_nothing(train: Callable, painted: Callable) -> None:
    part = painted(2)
    part.label_maps[:, :, :8] = 3
    judge = train(part, judge_images=8)
    assert not (judge.read(part.images) == 3).any()
    assert all(tensor.isfinite().all() for tensor in weights(judge))


def test_images_of_ignored_classes_alone_do_no_harm(train: Callable, painted: Callable) -> None:
    part = painted(2)
    part.label_maps[:] = 3
    judge = train(part, judge_images=8)
    assert all(tensor.isfinite().all() for tensor in weights(judge))


def test_rare_classes_weigh_more_within_limits() -> None:
    label_map = np.zeros((1, 100, 100), np.uint8)
    label_map[0, 0] = 1
    label_map[0, 1, 0] = 2
    label_map[0, 2:50] = 3
    found = class_weights([label_map], np.array([False, False, False, True]))
    assert found[3] == 0
    assert found[0] == 1
    assert found[0] < found[1] <= found[2] <= judge_training.MAX_CLASS_WEIGHT


def test_what_nothing_tells_apart_is_answered_as_often_as_it_occurs(train: Callable) -> None:
    """Grey images: a fifth of the pixels is of class 1, though it weighed twice as much as class 0."""
    label_maps = (np.random.default_rng(0).random((8, 16, 24)) < 0.2).astype(np.uint8)
    images = np.full((8, 16, 24, 3), 128, np.uint8)
    judge = train(LabelledImages(images, label_maps))
    with torch.no_grad():
        share = judge.segmenter(torch.zeros(1, 3, 16, 24)).softmax(1).mean((0, 2, 3))
    assert share[1] == pytest.approx(0.2, abs=0.06)


def test_reading_does_not_depend_on_the_batch(train: Callable, painted: Callable) -> None:
    judge, images = train(painted(4), judge_images=16), painted(20, seed=3).images
    alone = np.concatenate([judge.read(images[n : n + 1]) for n in range(len(images))])
    assert (judge.read(images) == alone).mean() > 0.999  # sums in another order may turn a tie


def test_an_answer_can_have_another_size(train: Callable, painted: Callable) -> None:
    judge, images = train(painted(4), judge_images=8), painted(2).images
    assert judge.read(images, (37, 50)).shape == (2, 37, 50)
    assert judge.features(images).shape == (2, judge.segmenter.feature_channels)
    assert judge.features(images, grid=4).shape == (2, 16 * judge.segmenter.feature_channels)
