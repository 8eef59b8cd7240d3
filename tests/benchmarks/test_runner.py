"""Benchmarks by name: each has a module, runs apart, and fails aloud."""

import importlib
import json
from pathlib import Path

import pytest

from benchmarks.runner import BENCHMARKS, machine, run_benchmarks, show


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_is_a_module_that_measures_and_makes_rows(name: str) -> None:
    module = importlib.import_module(f"benchmarks.{name}")
    assert callable(module.run) and callable(module.rows)


def test_it_says_on_what_was_measured() -> None:
    found = machine()
    assert found["num_cores"] >= 1
    assert found["versions"]["numpy"]
    assert json.loads(json.dumps(found)) == found


def test_rows_and_figures_come_together() -> None:
    rows, found = run_benchmarks(["preprocessing"], smoke=True)
    assert found["smoke"] is True
    assert found["rows"] == [row.as_plain() for row in rows]
    assert {row.id for row in rows} >= {"B1", "B2"}
    assert found["preprocessing"]


def test_one_that_fails_is_named_and_the_others_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "found.json"
    assert not show(["nothing", "preprocessing"], out, smoke=True)
    said, found = capsys.readouterr(), json.loads(out.read_text())
    assert "The benchmark 'nothing' ended with exit code 2." in said.err
    assert "B1" in said.out and found["failed"] == {"nothing": 2} and found["preprocessing"]
    assert set(found["load"]) == {"nothing", "preprocessing"}
