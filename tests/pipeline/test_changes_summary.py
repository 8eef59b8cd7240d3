"""What a run's summary says: what came and went, and what the snapshot is worth."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.changes_summary import new_sets, summarize
from pipeline.config import RunConfig
from pipeline.evaluation.files import evaluation_path, read_evaluation, write_evaluation
from pipeline.run import gather_stage, prepare_stage, run
from pipeline.shards import SnapshotRef

BEFORE_GENERATING = {"before_generating": True}


@pytest.fixture(scope="module")
def measured(
    tiny_config: Callable[..., RunConfig], tmp_path_factory: pytest.TempPathFactory, one_thread: None
) -> RunConfig:
    """A run that measures its snapshot before it draws."""
    return tiny_config(tmp_path_factory.mktemp("measured"), evaluate=BEFORE_GENERATING)


def test_it_tells_what_came_and_what_the_snapshot_is_worth(measured: RunConfig) -> None:
    result = run(measured)
    prepared = prepare_stage(gather_stage(measured))
    first = summarize(measured, prepared, result, before=0)
    assert "# tiny, version 1" in first
    assert (
        "The first version:\n\n| set | images new | images gone |\n| --- | --- | --- |\n| scenes | 8 | 0 |"
        in first
    )
    assert new_sets(measured, 0, 1) == ["scenes"]
    assert "Adherence of the snapshot on training labels" in first
    table = first.split("```")[1]
    for row in ("adherence (judge: generated)", "usefulness", "field"):
        assert row in table
    again = summarize(measured, prepared, result, before=1)
    assert "Nothing has changed since the run before." in again


def test_a_snapshot_is_measured_once(measured: RunConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    path = evaluation_path(measured.run_dir, run(measured).snapshot)
    before = path.read_bytes()

    def never(*_: object, **__: object) -> None:
        raise AssertionError("it is measured already")

    monkeypatch.setattr("pipeline.evaluation.evaluate.evaluate", never)
    run(measured)
    assert path.read_bytes() == before


def test_an_evaluation_comes_back_as_it_was_and_only_for_its_snapshot(
    measured: RunConfig, tmp_path: Path
) -> None:
    snapshot = SnapshotRef.of(run(measured).snapshot)
    found = read_evaluation(measured.run_dir, snapshot)
    assert found is not None
    write_evaluation(evaluation_path(tmp_path, snapshot.path), found)
    assert read_evaluation(tmp_path, snapshot) == found
    assert read_evaluation(tmp_path, snapshot._replace(sha256="0" * 64)) is None
    assert read_evaluation(tmp_path / "elsewhere", snapshot) is None


def test_without_the_setting_nothing_is_measured(
    tiny_config: Callable[..., RunConfig], tmp_path: Path
) -> None:
    config = tiny_config(tmp_path)
    assert read_evaluation(config.run_dir, SnapshotRef.of(run(config).snapshot)) is None
