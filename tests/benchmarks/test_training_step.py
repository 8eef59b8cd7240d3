"""The training step's benchmark runs at a small size, and both ways take the same steps."""

from collections.abc import Callable

import pytest

from benchmarks import training_step
from benchmarks.training_step import SMOKE


@pytest.fixture(scope="module")
def found(run_smoke: Callable[[str], dict]) -> dict:
    return run_smoke("training_step")


def test_both_take_the_same_steps(found: dict) -> None:
    """Later losses are equal only if gradients, optimisers and discriminators are."""
    own, peer = found["losses"]["own"], found["losses"]["peer"]
    assert len(own) == len(peer) == SMOKE.num_rounds + 1
    assert own == pytest.approx(peer, rel=0.02 if found["computes_in_bf16"] else 1e-3)
    assert max(peer) - min(peer) > 0.01 * max(peer)


def test_every_round_but_the_first_counts(found: dict) -> None:
    assert {way: len(taken) for way, taken in found["seconds"].items()} == {"peer": 3, "own": 3}


def test_without_bf16_there_is_a_ratio_without_a_goal(found: dict) -> None:
    rows = {row.what: row for row in training_step.rows(found)}
    bf16 = rows["training step bf16, beside eager PyTorch"]
    if found["computes_in_bf16"]:
        assert bf16.value == found["ratio"]
    else:
        assert bf16.value is None and bf16.note
        fp32 = rows["training step fp32, beside eager PyTorch"]
        assert fp32.value == found["ratio"] and fp32.goal is None
