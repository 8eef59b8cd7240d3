"""Speed: that of one core, whatever else a machine does."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.comparison.speed import fastest_step, images_per_second
from pipeline.config import RunConfig
from pipeline.prepare import Prepared
from pipeline.run import gather_stage, prepare_stage
from pipeline.training_images import TrainingImages

SLEEP_SECONDS = 0.3


@pytest.fixture
def sources(
    tmp_path: Path, tiny_config: Callable[..., RunConfig], one_thread: None, monkeypatch: pytest.MonkeyPatch
) -> tuple[RunConfig, Prepared]:
    monkeypatch.setattr("pipeline.comparison.speed.MIN_SECONDS", 0.0)
    run = gather_stage(tiny_config(tmp_path))
    return run, prepare_stage(run)


def test_the_speed_is_that_of_training_and_nothing_is_kept(sources) -> None:
    before = sorted(sources[0].run_dir.iterdir())
    assert 0.1 < images_per_second(*sources) < 10_000
    assert sorted(sources[0].run_dir.iterdir()) == before


def test_time_in_which_others_compute_does_not_count(sources, monkeypatch) -> None:
    """What comes late stands for a core that was busy with something else."""
    batches, threads = TrainingImages.batches, set()

    def late(self: TrainingImages, num_images_seen: int) -> Iterator:
        for batch in batches(self, num_images_seen):
            threads.add(torch.get_num_threads())
            time.sleep(SLEEP_SECONDS)
            yield batch

    monkeypatch.setattr(TrainingImages, "batches", late)
    torch.set_num_threads(2)
    assert images_per_second(*sources) > 1.5 * sources[0].train.batch_size / SLEEP_SECONDS
    assert threads == {1}
    assert torch.get_num_threads() == 2


def test_the_fastest_step_of_each_kind_counts() -> None:
    steps = np.array([1, 5, 2, 4, 1.5, 9, 0.1])
    assert fastest_step(steps, 2) == (1 + 4) / 2
    assert fastest_step(steps, 1) == 0.1
