"""The benchmark of checkpoints runs at a small size; what it saves is whole, and training gives the same bits
twice."""

import statistics
from collections.abc import Callable

import pytest

from benchmarks import upkeep
from gan.config import TrainConfig


@pytest.fixture(scope="module")
def found(run_smoke: Callable[[str], dict]) -> dict:
    return run_smoke("upkeep")


def test_checkpoints_are_whole(found: dict) -> None:
    assert found["is_read_back"] and found["checkpoint_mib"] > 0
    assert len(found["save_seconds"]) == upkeep.NUM_SAVES


def test_two_runs_have_the_same_bits_on_a_cpu(found: dict) -> None:
    assert found["same_bits_twice"] or found["device"] != "cpu"


def test_the_share_is_that_of_the_saving_in_the_time_between_two(found: dict) -> None:
    saving = statistics.median(found["save_seconds"])
    between = TrainConfig().checkpoint_every_images / found["images_per_second"]
    assert found["share_percent"] == pytest.approx(100 * saving / between)
    assert upkeep.rows(found)[0].value == found["share_percent"]
