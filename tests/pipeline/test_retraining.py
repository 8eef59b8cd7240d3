"""When training is begun anew, and that each training keeps its folder."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.config import RunConfig, load_config
from pipeline.images import encode_jpeg
from pipeline.retraining import newest_training, training_folders, training_to_use
from pipeline.run import gather_stage, prepare_stage, run

START = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def trained(
    tmp_path: Path, tiny_config: Callable[..., RunConfig], monkeypatch: pytest.MonkeyPatch
) -> RunConfig:
    """A run whose trainings are taken as finished as soon as they have begun."""
    monkeypatch.setattr("pipeline.retraining.finished_snapshot", lambda config: config.run_dir)
    return gather_stage(tiny_config(tmp_path))


def _retrain(config: RunConfig, **settings: object) -> RunConfig:
    return config.model_copy(update={"retrain": config.retrain.model_validate(settings)})


def _with_photo(config: RunConfig, tmp_path: Path) -> RunConfig:
    folder = tmp_path / "more"
    folder.mkdir(exist_ok=True)
    (folder / "a.jpg").write_bytes(encode_jpeg(np.full((16, 24, 3), 99, np.uint8), 95))
    sources = config.sources.model_copy(update={"photos": (*config.sources.photos, folder)})
    return config.model_copy(update={"sources": sources})


def test_without_a_policy_one_training_serves_for_ever(trained: RunConfig, tmp_path: Path) -> None:
    assert training_to_use(trained, prepare_stage(trained), now=lambda: START) == trained
    changed = _with_photo(trained, tmp_path)
    prepared = prepare_stage(changed)
    later = START + timedelta(days=10_000)
    assert training_to_use(changed, prepared, now=lambda: later).run_dir == trained.run_dir
    assert training_folders(trained.run_dir) == [trained.run_dir]


def test_photographs_that_changed_begin_one_new_training(trained: RunConfig, tmp_path: Path, caplog) -> None:
    config = _retrain(trained, on_new_photos=True)
    prepared = prepare_stage(config)
    for _ in range(2):
        assert training_to_use(config, prepared).run_dir == config.run_dir
    changed = _with_photo(config, tmp_path)
    more = prepare_stage(changed)
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            chosen = training_to_use(changed, more)
            assert chosen.run_dir == config.run_dir / "retrained" / "0001"
    assert caplog.text.count("Training begins anew") == 1
    assert "the photographs have changed" in caplog.text
    assert chosen.judges_folder == config.run_dir
    assert newest_training(config).run_dir == chosen.run_dir
    assert training_folders(config.run_dir) == [config.run_dir, chosen.run_dir]
    # Back to the photographs of before: they have changed once more.
    assert training_to_use(config, prepared).run_dir.name == "0002"


def test_a_new_class_begins_one_and_a_known_one_does_not(trained: RunConfig) -> None:
    config = _retrain(trained, on_new_classes=True)
    prepared = prepare_stage(config)
    assert training_to_use(config, prepared).run_dir == config.run_dir
    record = json.loads((config.run_dir / "trained_on.json").read_text())
    seen = record["classes"]
    assert set(seen) <= {each.name for each in config.read_palette().classes} and len(seen) > 1
    (config.run_dir / "trained_on.json").write_text(json.dumps(record | {"classes": seen[1:]}))
    anew = training_to_use(config, prepared)
    assert anew.run_dir.name == "0001"
    assert seen[0] in json.loads((anew.run_dir / "trained_on.json").read_text())["why"]
    assert training_to_use(config, prepared).run_dir == anew.run_dir


def test_days_pass(trained: RunConfig) -> None:
    config = _retrain(trained, every_days=7)
    prepared = prepare_stage(config)
    names = [
        training_to_use(config, prepared, now=lambda day=day: START + timedelta(days=day)).run_dir.name
        for day in (0, 6.9, 7, 13, 14)
    ]
    assert names == ["run", "run", "0001", "0001", "0002"]


def test_an_unfinished_training_is_finished_first(
    trained: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _retrain(trained, on_new_photos=True, every_days=1)
    training_to_use(config, prepare_stage(config), now=lambda: START)
    monkeypatch.setattr("pipeline.retraining.finished_snapshot", lambda config: None)
    changed = _with_photo(config, tmp_path)
    more = prepare_stage(changed)
    assert training_to_use(changed, more, now=lambda: START + timedelta(days=9)).run_dir == config.run_dir


def test_a_run_trains_anew_and_its_rows_say_by_what_they_were_drawn(
    tmp_path: Path, tiny_file: Callable[..., Path], one_thread: None
) -> None:
    from manifests.manifest import Manifest
    from pipeline.regenerate import regenerate

    config = load_config(tiny_file(tmp_path, retrain={"on_new_photos": True}))
    run(config)
    first = {row.snapshot_sha256 for row in Manifest.open(config.output).records}
    changed = _with_photo(config, tmp_path)
    result = run(changed)
    assert (result.version, result.num_generated, result.num_images) == (2, 8, 8)
    assert result.snapshot.is_relative_to(config.run_dir / "retrained" / "0001")
    rows = Manifest.open(config.output).records
    assert {row.snapshot_sha256 for row in rows}.isdisjoint(first)
    assert run(changed).num_generated == 0
    # Rows of either training can be drawn again.
    assert regenerate(changed, 8) == []
