"""The benchmark of checkpoints runs at a small size; what it saves is whole, and training gives the same bits
twice."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import upkeep


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict:
    out = tmp_path_factory.mktemp("upkeep") / "found.json"
    command = [sys.executable, "-m", "benchmarks.runner", "upkeep", str(out), "--smoke"]
    ran = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return json.loads(out.read_text())


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
