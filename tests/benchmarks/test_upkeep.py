"""The benchmark of checkpoints runs at a small size; what it saves is whole, and training gives the same bits
twice."""

from collections.abc import Callable

import pytest

from benchmarks import upkeep


@pytest.fixture(scope="module")
def found(run_smoke: Callable[[str], dict]) -> dict:
    return run_smoke("upkeep")


def test_checkpoints_are_whole(found: dict) -> None:
    assert found["is_read_back"] and found["checkpoint_mib"] > 0
    assert len(found["save_seconds"]) == upkeep.NUM_SAVES


def test_two_runs_have_the_same_bits_on_a_cpu(found: dict) -> None:
    assert found["same_bits_twice"] or found["device"] != "cpu"


def test_the_share_follows_from_rate_and_seconds(found: dict) -> None:
    share, row = found["share_percent"], upkeep.rows(found)[0]
    at_most = found["images_per_second_at_most"]
    assert share / row.goal == pytest.approx(found["images_per_second"] / at_most)
    assert row.is_met == (found["images_per_second"] <= at_most)
