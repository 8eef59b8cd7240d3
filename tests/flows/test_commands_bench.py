"""`seg2real bench` as its user has it."""

import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.runner import BENCHMARKS


def test_it_lists_what_can_be_measured(seg2real: Callable) -> None:
    said = seg2real("bench", "--list")
    assert said.code == 0
    assert [line.split()[0] for line in said.out.splitlines()] == list(BENCHMARKS)


def test_a_benchmark_that_is_none_is_refused(seg2real: Callable) -> None:
    said = seg2real("bench", "speed")
    assert said.code == 2
    assert "There is no benchmark 'speed'; there are preprocessing" in said.err


def test_it_prints_the_table_and_writes_the_json(seg2real: Callable, tmp_path: Path) -> None:
    out = tmp_path / "results" / "bench.json"
    said = seg2real("bench", "preprocessing", "--smoke", "--out", out)
    assert said.code == 0, said.err
    assert "B1" in said.out and str(out) in said.out
    assert json.loads(out.read_text())["machine"]["num_cores"] >= 1
