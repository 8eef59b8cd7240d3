"""A judge is trained once for the same images and settings, and anew for any others."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.config import RunConfig
from pipeline.evaluation import judge_files
from pipeline.evaluation.judge_files import judge_of, real_judge

BUDGET = {"judge_width": 4, "judge_images": 4, "judge_batch_size": 2}


@pytest.fixture
def config(tmp_path: Path, tiny_config: Callable) -> RunConfig:
    return tiny_config(tmp_path, evaluate=BUDGET)


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with every training."""
    calls = []
    train = judge_files.train_judge

    def counted(*arguments: object, **options: object) -> object:
        calls.append(1)
        return train(*arguments, **options)

    monkeypatch.setattr(judge_files, "train_judge", counted)
    return calls


def test_a_found_judge_answers_as_the_trained_one(
    config: RunConfig, painted: Callable, trainings: list
) -> None:
    images = painted(4).images
    first = judge_of(config, [painted(4)], "real")
    again = judge_of(config, [painted(4)], "real")
    assert len(trainings) == 1
    assert np.array_equal(first.features(images), again.features(images))
    assert len(list(config.run_dir.glob("judge-*.safetensors"))) == 1


def test_each_of_several_judges_has_a_seed_of_its_own_and_is_kept(
    config: RunConfig, painted: Callable, trainings: list
) -> None:
    images = painted(4).images
    features = [
        judge_of(config, [painted(4)], "real", index=index).features(images) for index in (0, 1, 2, 1)
    ]
    assert len(trainings) == 3
    assert np.array_equal(features[1], features[3])
    assert not any(np.array_equal(features[0], other) for other in features[1:])
    assert not np.array_equal(features[1], features[2])


@pytest.mark.parametrize("change", ["seed", "judge_images", "an image", "a label", "the sets"])
def test_others_are_trained_anew(config: RunConfig, painted: Callable, trainings: list, change: str) -> None:
    judge_of(config, [painted(4)], "real")
    part, sets = painted(4), 1
    if change == "an image":
        part.images[0, 0, 0, 0] ^= 1
    elif change == "a label":
        part.label_maps[0, 0, 0] ^= 1
    elif change == "the sets":
        sets = 2
    else:
        evaluate = config.evaluate.model_copy(update={change: 6})
        config = config.model_copy(update={"evaluate": evaluate})
    judge_of(config, [part] * sets, "real")
    assert len(trainings) == 2


def test_a_damaged_file_is_trained_anew(config: RunConfig, painted: Callable, trainings: list) -> None:
    judge_of(config, [painted(2)], "real")
    (path,) = config.run_dir.glob("judge-*")
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    judge_of(config, [painted(2)], "real")
    assert len(trainings) == 2
    assert path.read_bytes() == whole


def test_without_labelled_photographs_there_is_no_real_judge(config: RunConfig, painted: Callable) -> None:
    assert real_judge(config, painted(0)) is None
