import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import pipeline.comparison.compare
from pipeline.comparison.compare import compare, write_pictures
from pipeline.comparison.config import CompareConfig, load_comparison
from pipeline.comparison.speed import images_per_second
from pipeline.comparison.table import as_table
from pipeline.config import ConfigError
from pipeline.images import read_image
from pipeline.run import draw_stage, prepare_stage

ENTRIES = {"plain": ["train.method=cyclegan"], "masked": ["train.background=mask_both"]}


@pytest.fixture
def comparison(tmp_path: Path, tiny_file: Callable[..., Path], one_thread: None) -> Callable[..., Path]:
    """Write the YAML of a comparison of two tiny runs."""
    budget = {"judge_width": 4, "judge_images": 8, "judge_batch_size": 4}
    scenes = {"num": 8, "num_photos": 8}
    tiny_file(tmp_path, evaluate=budget, scenes=scenes)

    def write(**changes: object) -> Path:
        settings = {"config": "tiny.yaml", "folder": "compare", "total_images": 4, "entries": ENTRIES}
        settings = {key: value for key, value in (settings | changes).items() if value is not None}
        path = tmp_path / "compare.yaml"
        path.write_text(yaml.safe_dump(settings, sort_keys=False))
        return path

    return write


def test_every_entry_is_trained_with_the_same_budget_and_measured_once(comparison, monkeypatch) -> None:
    config = load_comparison(comparison())
    found = compare(config)
    assert list(found["entries"]) == ["plain", "masked"]
    for name, method in (("plain", "cyclegan"), ("masked", "attention_cyclegan")):
        entry = found["entries"][name]
        assert entry["train"]["method"] == entry["evaluation"]["judged"]["method"] == method
        assert entry["training"]["total_images"] == entry["evaluation"]["judged"]["num_images_seen"] == 4
        assert [point["num_images_seen"] for point in entry["training"]["curve"]] == [2, 4]
        # Which snapshot was judged is said, and what was measured on the way.
        (adherence,) = entry["training"]["adherence"]
        best = max("ema", "raw", key=lambda holds: adherence[f"adherence_{holds}"])
        assert entry["evaluation"]["judged"]["holds"] == best
        assert not list((config.folder / name).glob("judge-*")) and list(config.folder.glob("judge-*"))
    json.dumps(found, allow_nan=False)
    table = as_table(found)
    assert all(name in table for name in ENTRIES)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a finished entry was done again")

    monkeypatch.setattr(pipeline.comparison.compare, "train_stage", never)
    assert compare(config) == found
    for picture in write_pictures(config, found):
        assert min(read_image(picture).shape[:2]) > 100


def test_another_comparison_in_the_same_folder_is_refused(comparison) -> None:
    one = {"plain": ["train.method=cyclegan"]}
    compare(load_comparison(comparison(entries=one)))
    with pytest.raises(ConfigError, match="'plain' of another comparison"):
        compare(load_comparison(comparison(entries={"plain": ["train.method=cut"]})))


def test_minutes_become_images_by_the_speed_measured_once(comparison, monkeypatch) -> None:
    speeds = iter([2.0])
    monkeypatch.setattr("pipeline.comparison.speed.images_per_second", lambda *_: next(speeds))
    config = load_comparison(comparison(total_images=None, minutes=0.1, entries={"plain": []}))
    entry = compare(config)["entries"]["plain"]
    assert entry["training"]["total_images"] == 12  # 2 / s for 6 s, in steps of 2
    (config.folder / "plain" / "result.json").unlink()
    assert compare(config)["entries"]["plain"]["training"]["total_images"] == 12


def test_the_speed_is_that_of_training(comparison, monkeypatch) -> None:
    monkeypatch.setattr("pipeline.comparison.speed.MIN_SECONDS", 0.0)
    run = draw_stage(load_comparison(comparison()).run_of("plain"))
    assert 0.1 < images_per_second(run, prepare_stage(run)) < 10_000
    assert not (run.run_dir / "checkpoints").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minutes": 1.0}, "either minutes or total_images"),
        ({"total_images": None}, "either minutes or total_images"),
        ({"entries": {"wrong": ["train.metod=cut"]}}, "'wrong'.*train.metod: there is no such setting"),
        ({"entries": {"../up": []}}, "entries"),
        ({"entries": {}}, "entries"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_runs(comparison, changes, message) -> None:
    with pytest.raises(ConfigError, match=f"(?s){message}"):
        load_comparison(comparison(**changes))


def test_entries_have_folders_of_their_own(comparison) -> None:
    config = load_comparison(comparison())
    assert isinstance(config, CompareConfig)
    places = {(config.run_of(name).run_dir, config.run_of(name).output) for name in ENTRIES}
    assert len(places) == 2
