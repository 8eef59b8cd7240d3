"""Which snapshot counts as the end of a run, and which as the best of it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gan.snapshot import SnapshotInfo
from pipeline.config import RunConfig
from pipeline.evaluation.measured import MeasuredWeights
from pipeline.evaluation.scores import Scores
from pipeline.snapshot_files import best_snapshot, describe, finished_snapshot, numbered_files


def measured(ema: float, raw: float = 0.0, measure: str = "one") -> MeasuredWeights:
    scores = {holds: Scores(2, miou, miou, {"ball": miou}) for holds, miou in (("ema", ema), ("raw", raw))}
    return MeasuredWeights(measure=measure, judge="real", scores=scores)


def best(config: RunConfig) -> Path | None:
    chosen = best_snapshot(config)
    return chosen and chosen.path


@pytest.fixture
def put(tmp_path: Path, tiny_config: Callable) -> Callable[..., Path]:
    """A snapshot of the tiny run's folder, without weights, which nobody reads here."""

    def put(num_images_seen: int, measured: MeasuredWeights | None = None, **changes: object) -> Path:
        config = tiny_config(tmp_path, **changes)
        info = SnapshotInfo(
            num_images_seen=num_images_seen,
            train=config.train,
            palette=config.read_palette().model_dump(mode="json"),
            noise=config.noise,
            torch_version="2",
        )
        path = tmp_path / "run" / "snapshots" / f"snapshot-{num_images_seen:08d}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".json").write_bytes(describe(info.model_dump(mode="json"), measured))
        path.touch()
        return path

    return put


@pytest.fixture
def config(tmp_path: Path, tiny_config: Callable) -> RunConfig:
    return tiny_config(tmp_path)


def test_a_run_is_finished_when_its_last_snapshot_is_there(put: Callable, config: RunConfig) -> None:
    assert finished_snapshot(config) is None and best(config) is None
    early = put(4)
    assert finished_snapshot(config) is None and best(config) == early
    last = put(8)
    assert finished_snapshot(config) == best(config) == last
    # The description is written first, so that it alone means nothing.
    last.unlink()
    assert finished_snapshot(config) is None and best(config) == early


@pytest.mark.parametrize(
    "change",
    [
        {"train": {"total_images": 10}},
        {"train": {"learning_rate": 1e-5}},
        {"train": {"seed": 1}},
        {"train": {"generator": {"width": 8}}},
        {"noise": {"amount": 0.1}},
        {"noise": {"correlation_px": 2}},
    ],
)
def test_other_settings_mean_that_there_is_something_to_train(
    put: Callable, tmp_path: Path, tiny_config: Callable, change: dict
) -> None:
    put(8)
    assert finished_snapshot(tiny_config(tmp_path, **change)) is None


def test_settings_that_change_no_weight_do_not(put: Callable, tmp_path: Path, tiny_config: Callable) -> None:
    last = put(8)
    other = {"report_every_images": 1, "checkpoint_every_images": 3, "num_preview": 5, "total_images": 6}
    assert finished_snapshot(tiny_config(tmp_path, train=other)) == last


def test_snapshots_of_other_settings_do_not_hide_a_finished_one(put: Callable, config: RunConfig) -> None:
    mine = put(8)
    put(12, train={"seed": 1})
    assert finished_snapshot(config) == mine


def test_numbers_order_files_and_other_names_are_passed_over(tmp_path: Path) -> None:
    for name in ("a-2.pt", "a-10.pt", "a-00000003.pt", "a-x.pt", "a-4.pt.tmp", "b-5.pt", ".a-6.pt"):
        (tmp_path / name).touch()
    found = numbered_files(tmp_path, "a", "pt")
    assert [(number, path.name) for number, path in found] == [
        (2, "a-2.pt"),
        (3, "a-00000003.pt"),
        (10, "a-10.pt"),
    ]
    assert numbered_files(tmp_path / "nowhere", "a", "pt") == []


def test_a_snapshot_that_is_older_than_a_setting_counts_with_its_default(
    put: Callable, config: RunConfig
) -> None:
    path = put(8)
    info = json.loads(path.with_suffix(".json").read_text())
    del info["train"]["weight_decay"]
    path.with_suffix(".json").write_text(json.dumps(info))
    assert best(config) == path
    info["train"]["a_setting_of_old"] = 1
    path.with_suffix(".json").write_text(json.dumps(info))
    assert best(config) is None


def test_the_best_by_adherence_is_used_and_of_about_equals_the_last(put: Callable, config: RunConfig) -> None:
    put(2, measured(0.705))
    better = put(4, measured(0.5, raw=0.7))
    put(6, measured(0.69))
    assert best(config) == better and finished_snapshot(config) is None
    last = put(8, measured(0.2))
    assert best(config) == finished_snapshot(config) == better
    put(8, measured(0.697))
    assert best(config) == finished_snapshot(config) == last


def test_only_what_was_measured_as_the_last_one_was_competes(put: Callable, config: RunConfig) -> None:
    put(2, measured(0.9, measure="another"))
    put(4)
    better = put(6, measured(0.5))
    put(8, measured(0.4))
    assert best(config) == better
    # Where the last one was not measured, nothing can be compared with it.
    last = put(8)
    assert best(config) == finished_snapshot(config) == last
    assert "was not measured" in best_snapshot(config).why


def test_off_the_last_one_is_used(put: Callable, tmp_path: Path, tiny_config: Callable) -> None:
    put(4, measured(0.9))
    last = put(8, measured(0.1))
    config = tiny_config(tmp_path, evaluate={"during_training": False})
    assert best(config) == finished_snapshot(config) == last
    assert "during_training is false" in best_snapshot(config).why


def test_how_images_are_measured_later_changes_no_choice(
    put: Callable, tmp_path: Path, tiny_config: Callable
) -> None:
    better = put(4, measured(0.9))
    put(8, measured(0.1))
    assert best(tiny_config(tmp_path, evaluate={"seed": 3, "training_labels": 5})) == better


@pytest.mark.parametrize(
    ("ema", "raw", "wanted"), [(0.5, 0.4, "ema"), (0.4, 0.5, "raw"), (0.4, 0.405, "ema")]
)
def test_of_one_moment_the_better_weights_are_best_and_of_about_equals_the_average(
    ema: float, raw: float, wanted: str
) -> None:
    assert measured(ema, raw).best == wanted
    assert measured(ema, raw).best_miou == {"ema": ema, "raw": raw}[wanted]
