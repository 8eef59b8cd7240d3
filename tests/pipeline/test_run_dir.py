"""What a training run leaves on disk: whole files, each line once, one holder."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from gan.snapshot import Snapshot
from gan.training_state import TrainingState
from pipeline import run_dir as run_dir_module
from pipeline.evaluation.measured import MeasuredWeights
from pipeline.evaluation.scores import Scores
from pipeline.images import read_image
from pipeline.run_dir import CheckpointError, RunDir
from pipeline.snapshot_files import best_snapshot
from pipeline.training import label_spec

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def told() -> list[tuple[int, int, str]]:
    return []


@pytest.fixture
def opened(tmp_path: Path, told: list, tiny_config: Callable) -> Iterator[Callable[[], RunDir]]:
    """The run directory, opened anew with each call."""
    config = tiny_config(tmp_path, train={"total_images": 100}).model_copy(
        update={"run_dir": tmp_path / "run"}
    )
    return lambda: RunDir.open(config, lambda done, total, note="": told.append((done, total, note)))


def seen(root: Path) -> list[int]:
    return [json.loads(line)["num_images_seen"] for line in (root / "metrics.jsonl").read_text().splitlines()]


def test_two_checkpoints_are_kept_and_the_newest_is_found(opened: Callable) -> None:
    with opened() as run_dir:
        assert run_dir.newest_checkpoint(CPU) is None
        for number in (2, 4, 100, 8, 1000):
            run_dir.save_checkpoint(number, {"number": number, "tensor": torch.full((3,), float(number))})
        names = sorted(path.name for path in (run_dir.root / "checkpoints").iterdir())
        assert names == ["checkpoint-00000100.pt", "checkpoint-00001000.pt"]
    with opened() as run_dir:
        state = run_dir.newest_checkpoint(CPU)
    assert state["number"] == 1000 and state["tensor"].tolist() == [1000.0] * 3


def test_a_damaged_checkpoint_is_passed_over_and_none_is_an_error(opened: Callable, caplog) -> None:
    with opened() as run_dir:
        for number in (2, 4):
            run_dir.save_checkpoint(number, {"number": number})
        newest = run_dir.root / "checkpoints" / "checkpoint-00000004.pt"
        newest.write_bytes(newest.read_bytes()[:200])
        assert run_dir.newest_checkpoint(CPU) == {"number": 2}
        assert f"Checkpoint {newest} cannot be read and is passed over" in caplog.text
        (run_dir.root / "checkpoints" / "checkpoint-00000002.pt").write_bytes(b"")
        with pytest.raises(CheckpointError, match="None of the 2 checkpoints"):
            run_dir.newest_checkpoint(CPU)


def test_a_whole_state_loads_with_weights_only(
    tmp_path: Path, opened: Callable, tiny_config: Callable
) -> None:
    config = tiny_config(tmp_path)
    spec = label_spec(config.read_palette(), config)
    with opened() as run_dir:
        run_dir.save_checkpoint(2, TrainingState(config.train, spec, CPU).state_dict())
        path = run_dir.root / "checkpoints" / "checkpoint-00000002.pt"
        torch.load(path, weights_only=True)
        TrainingState(config.train, spec, CPU).load_state_dict(run_dir.newest_checkpoint(CPU))


def test_lines_after_the_checkpoint_and_half_lines_come_once(opened: Callable, caplog) -> None:
    with opened() as run_dir:
        run_dir.start(0)
        for number in (2, 4, 6, 8):
            run_dir.report(number, {"adversarial_a": number / 10})
            if number == 4:
                run_dir.save_checkpoint(4, {})
        log = run_dir.root / "metrics.jsonl"
    whole = log.read_text()
    log.write_text(whole + whole[: len(whole) // 8])
    with opened() as run_dir:
        run_dir.start(4)
        assert "half a line, which was dropped" in caplog.text
        assert seen(run_dir.root) == [2, 4]
        for number in (6, 8, 10):
            run_dir.report(number, {"adversarial_a": number / 10})
        assert seen(run_dir.root) == [2, 4, 6, 8, 10]
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        assert [line["adversarial_a"] for line in lines] == [0.2, 0.4, 0.6, 0.8, 1.0]
        assert all(line["images_per_second"] > 0 for line in lines)


def test_lines_of_a_run_that_never_came_to_a_checkpoint_are_dropped(opened: Callable) -> None:
    for _ in range(2):
        with opened() as run_dir:
            run_dir.start(0)
            run_dir.report(2, {"cycle_a": 1.0})
            assert seen(run_dir.root) == [2]


def test_progress_hears_of_images_and_losses(opened: Callable, told: list) -> None:
    with opened() as run_dir:
        run_dir.start(0)
        metrics = {
            "adversarial_a": 0.5,
            "adversarial_b": 0.25,
            "cycle_a": 1.0,
            "cycle_b": 2.0,
            "discriminator_a": 0.125,
            "accuracy_a": 1,
        }
        run_dir.report(7, metrics)
    assert told == [(0, 100, ""), (7, 100, "G 0.50/0.25, cycle 1.00/2.00, D 0.12, D right 1.00")]


def test_previews_snapshots_and_curves_are_written(
    tmp_path: Path, opened: Callable, tiny_config: Callable
) -> None:
    config = tiny_config(tmp_path)
    spec = label_spec(config.read_palette(), config)
    generators = TrainingState(config.train, spec, CPU).ema.network
    snapshot = Snapshot.of(generators, spec, config.train, 8)
    grid = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    with opened() as run_dir:
        run_dir.start(0)
        run_dir.save_preview(8, grid)
        run_dir.save_snapshot(8, [snapshot])
        run_dir.report(8, {"cycle_a": 1.0})
    root = run_dir.root
    assert np.array_equal(read_image(root / "previews" / "preview-00000008.png"), grid)
    path = root / "snapshots" / "snapshot-00000008.safetensors"
    found = Snapshot.from_bytes(path.read_bytes())
    assert found.info == snapshot.info
    assert json.loads(path.with_suffix(".json").read_text())["num_images_seen"] == 8
    assert list((root / "tensorboard").iterdir())


def test_a_second_process_is_refused_with_the_first_ones_pid(
    tmp_path: Path, tiny_config: Callable, tiny_file: Callable, seg2real: Callable
) -> None:
    config = tiny_config(tmp_path)
    with RunDir.open(config, lambda *_: None):
        outcome = seg2real("train", tiny_file(tmp_path))
    assert outcome.code == 1
    assert f"The training run {config.run_dir} is in use by process {os.getpid()}" in outcome.text
    assert "Traceback" not in outcome.text


def test_what_a_killed_writer_left_is_removed(opened: Callable) -> None:
    with opened() as run_dir:
        left = run_dir.root / "checkpoints" / ".0123456789abcdef.tmp"
        left.write_bytes(b"half")
    with opened() as run_dir:
        assert not left.exists()


class Meter:
    """Finds the raw weights better, in a minute."""

    def __init__(self, clock: "Clock"):
        self.clock = clock

    def measure(self, candidates: list[Snapshot]) -> MeasuredWeights:
        self.clock.seconds += 60
        miou = {"ema": 0.25, "raw": 0.75}
        scores = {
            each.info.holds: Scores(2, 0.5, miou[each.info.holds], {"ball": None}) for each in candidates
        }
        return MeasuredWeights(measure="one", judge="real", scores=scores)


class Clock:
    seconds = 100.0

    def monotonic(self) -> float:
        return self.seconds


def test_the_better_weights_are_saved_and_all_figures_kept_but_the_time_it_took(
    tmp_path: Path, tiny_config: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(run_dir_module, "time", clock)
    config = tiny_config(tmp_path)
    spec = label_spec(config.read_palette(), config)
    state = TrainingState(config.train, spec, CPU)
    candidates = [
        Snapshot.of(state.ema.network, spec, config.train, 8, holds="ema"),
        Snapshot.of(state.method.generators, spec, config.train, 8, holds="raw"),
    ]
    with RunDir.open(config, lambda *_: None, Meter(clock)) as run_dir:
        run_dir.start(0)
        clock.seconds += 2
        run_dir.save_snapshot(8, candidates)
        clock.seconds += 2
        run_dir.report(8, {"cycle_a": 1.0})
    path = run_dir.root / "snapshots" / "snapshot-00000008.safetensors"
    assert path.read_bytes() == candidates[1].to_bytes()
    described = json.loads(path.with_suffix(".json").read_text())
    assert described["holds"] == "raw"
    assert described["adherence"]["scores"]["ema"]["miou"] == 0.25
    first, second = map(json.loads, (run_dir.root / "metrics.jsonl").read_text().splitlines())
    assert first == {"num_images_seen": 8, "adherence_ema": 0.25, "adherence_raw": 0.75}
    assert second["images_per_second"] == 2.0
    assert best_snapshot(config).path == path
