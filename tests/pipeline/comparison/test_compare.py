import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import pipeline.comparison.compare
import pipeline.comparison.resolved
from pipeline.comparison.compare import compare, write_pictures
from pipeline.comparison.config import CompareConfig, load_comparison
from pipeline.comparison.table import as_table
from pipeline.config import ConfigError
from pipeline.images import encode_png, read_image
from pipeline.machine import describe_machine

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
        assert 0 < entry["training"]["seconds"] < 100
        assert entry["machine"] == describe_machine()
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


def test_entries_that_are_done_one_by_one_are_in_one_table(comparison) -> None:
    config = load_comparison(comparison())
    assert list(compare(config, only=["masked"])["entries"]) == ["masked"]
    assert list(compare(config, only=["plain"])["entries"]) == ["plain", "masked"]


def test_entries_that_another_process_makes_meanwhile_are_in_the_table(comparison, monkeypatch) -> None:
    config = load_comparison(comparison())
    train_stage = pipeline.comparison.compare.train_stage

    def train_while_another_makes_the_other(*arguments: object) -> object:
        monkeypatch.setattr(pipeline.comparison.compare, "train_stage", train_stage)
        assert list(compare(config, only=["plain"])["entries"]) == ["plain"]
        return train_stage(*arguments)

    monkeypatch.setattr(pipeline.comparison.compare, "train_stage", train_while_another_makes_the_other)
    assert list(compare(config, only=["masked"])["entries"]) == ["plain", "masked"]


def test_a_last_report_of_few_images_is_no_point_of_the_curve(comparison) -> None:
    settings = ["train.method=cyclegan", "train.batch_size=1", "train.report_every_images=4"]

    def points(total_images: int) -> list[int]:
        changes = {
            "total_images": total_images,
            "folder": f"of-{total_images}",
            "entries": {"plain": settings},
        }
        entry = compare(load_comparison(comparison(**changes)))["entries"]["plain"]
        return [point["num_images_seen"] for point in entry["training"]["curve"]]

    assert points(5) == [4]
    assert points(6) == [4, 6]
    assert points(1) == [1]


ONE = {"plain": ["train.method=cyclegan"]}


@pytest.fixture
def again(comparison) -> Callable[..., dict]:
    """Make the one entry of a comparison; compare again with changes when called."""
    compare(load_comparison(comparison(entries=ONE)))
    return lambda **changes: compare(load_comparison(comparison(**{"entries": ONE} | changes)))


def test_a_finished_entry_is_refused_when_what_it_depends_on_is_another(again) -> None:
    for override, way in (
        ("train.loss.identity=3", "plain to train"),
        ("train.snapshot_every_images=2", "plain to train"),
        ("noise.amount=0.1", "plain to train"),
        ("evaluate.judge_images=10", "result.json to measure"),
    ):
        name = override.partition("=")[0]
        wanted = rf"entry 'plain' .* \({name} changed\); choose another folder .* remove .*/{way}"
        with pytest.raises(ConfigError, match=wanted):
            again(overrides=[override])
    with pytest.raises(ConfigError, match=r"\(budget.total_images changed\)"):
        again(total_images=6)
    again(overrides=["train.report_every_images=4"])  # which changes no figure


def test_a_finished_entry_is_refused_when_files_are_others(again, tmp_path: Path, monkeypatch) -> None:
    """The config is the same; the judges or a photograph are not."""
    with monkeypatch.context() as patch:
        patch.setattr(pipeline.comparison.resolved, "JUDGE_NUMBER", -1)
        with pytest.raises(ConfigError, match=r"\(judge_number changed\)"):
            again()
    (photo, *_) = sorted((tmp_path / "compare" / "plain").rglob("realTrain/*"))
    whole = photo.read_bytes()
    photo.write_bytes(encode_png(read_image(photo)[::-1]))
    with pytest.raises(ConfigError, match=r"\(sources changed\)"):
        again()
    photo.write_bytes(whole)
    again()


def test_a_refusal_comes_before_any_training(again, monkeypatch) -> None:
    monkeypatch.setattr(pipeline.comparison.compare, "train_stage", None)
    with pytest.raises(ConfigError, match="is of entry 'plain'"):
        again(entries={"new": []} | ONE, overrides=["noise.amount=0.1"])


def test_what_an_unfinished_entry_was_trained_with_is_refused_too(again, tmp_path: Path) -> None:
    """Its weights are worth keeping while only the measure changes."""
    (tmp_path / "compare" / "plain" / "result.json").unlink()
    with pytest.raises(ConfigError, match=r"\(noise.amount changed\)"):
        again(overrides=["noise.amount=0.1"])
    found = again(overrides=["evaluate.judge_images=10"])
    assert found["entries"]["plain"]["evaluation"]["budget"]["judge_images"] == 10


def test_minutes_become_images_by_the_speed_measured_once(comparison, monkeypatch) -> None:
    speeds = iter([2.0])
    monkeypatch.setattr("pipeline.comparison.speed.images_per_second", lambda *_: next(speeds))
    config = load_comparison(comparison(total_images=None, minutes=0.1, entries={"plain": []}))
    entry = compare(config)["entries"]["plain"]
    assert entry["training"]["total_images"] == 12  # 2 / s for 6 s, in steps of 2
    (config.folder / "plain" / "result.json").unlink()
    assert compare(config)["entries"]["plain"]["training"]["total_images"] == 12


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


def test_some_entries_can_be_made_apart(comparison) -> None:
    config = load_comparison(comparison())
    for name in ENTRIES:
        assert list(compare(config.with_entries([name]))["entries"]) == [name]
    assert list(compare(config)["entries"]) == list(ENTRIES)
    with pytest.raises(ConfigError, match="no entry 'other'; there are plain, masked"):
        config.with_entries(["other"])
