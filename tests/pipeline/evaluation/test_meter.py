"""Adherence during training: it tells the better weights, and leaves alone what evaluate holds out."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from gan.conditioning import Conditioning
from gan.methods.registry import build_generators
from gan.snapshot import Snapshot
from pipeline.config import RunConfig
from pipeline.evaluation import judge_files, meter
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.meter import AdherenceMeter, meter_of
from pipeline.evaluation.parts import part_for_training, part_sources
from pipeline.images import encode_label_png, encode_png
from pipeline.interruption import Interrupted
from pipeline.palette import colorize
from pipeline.prepare import Prepared
from pipeline.run import prepare_stage, train_stage
from pipeline.shards import SnapshotRef
from pipeline.snapshot_files import best_snapshot
from pipeline.training import label_spec

BUDGET = {"judge_width": 8, "judge_images": 160, "training_judge_images": 160, "training_labels": 6}
NUM_LABELS, NUM_TEST = 12, 3


@pytest.fixture
def make_config(tmp_path: Path, tiny_config: Callable) -> Callable[..., RunConfig]:
    """A run with labelled photographs, which show their labels' colours a little noisy."""

    def make(num_labels: int = NUM_LABELS, **changes: object) -> RunConfig:
        source = tmp_path / "source"
        sources = {"labels": str(source), "photos": str(source)}
        budget = {"evaluate": BUDGET | changes.pop("evaluate", {})}
        config = tiny_config(tmp_path, scenes=None, sources=sources, **budget, **changes)
        palette, random = config.read_palette(), np.random.default_rng(0)
        for number in range(num_labels):
            part = "Test" if number < NUM_TEST else "Train"
            label_map = random.choice(np.array([0, 1, 4], np.uint8), (2, 3)).repeat(8, 0).repeat(8, 1)
            noise = random.integers(-20, 21, (*label_map.shape, 3))
            photo = np.clip(colorize(label_map, palette) + noise, 0, 255).astype(np.uint8)
            for kind, data in (("seg", encode_label_png(label_map, palette)), ("real", encode_png(photo))):
                path = source / f"{kind}{part}" / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        return config

    return make


@pytest.fixture
def candidates() -> Callable[[RunConfig], list[Snapshot]]:
    """What a training that has learned nothing offers."""

    def make(config: RunConfig) -> list[Snapshot]:
        labels = label_spec(config.read_palette(), config)
        domain = Conditioning(labels, config.train.conditioning).domain
        generators = build_generators(config.train, domain)
        return [Snapshot.of(generators, labels, config.train, 4, holds=holds) for holds in ("ema", "raw")]

    return make


class Scribbler:
    """Draws noise, whatever the label says."""

    needs_photos = False
    device = torch.device("cpu")

    def translate(self, label_maps: np.ndarray, noise_fields: np.ndarray, *_: None) -> np.ndarray:
        return np.repeat(noise_fields[..., None], 3, axis=-1)


def prepared_meter(config: RunConfig, prepared: Prepared | None = None) -> AdherenceMeter:
    found = pickle.loads(pickle.dumps(meter_of(config, prepared or prepare_stage(config))))  # as for --nproc
    found.prepare()
    return found


@pytest.mark.parametrize(("real_pairs", "better"), [(True, "ema"), (True, "raw"), (False, "raw")])
def test_the_weights_that_follow_labels_are_best(
    make_config: Callable, candidates: Callable, painter: Callable, monkeypatch, real_pairs: bool, better: str
) -> None:
    config = make_config(evaluate={"real_pairs": real_pairs})
    painter = painter()
    painter.palette, painter.device = config.read_palette(), torch.device("cpu")
    monkeypatch.setattr(
        meter, "Translator", lambda made, **_: painter if made.info.holds == better else Scribbler()
    )
    found = prepared_meter(config).measure(candidates(config))
    assert found.judge == ("real" if real_pairs else "generated")
    assert found.best == better and found.best_miou > 0.8
    assert min(scores.miou for scores in found.scores.values()) < 0.5
    assert {scores.num_images for scores in found.scores.values()} == {6 if real_pairs else 4}


@pytest.mark.parametrize("real_pairs", [True, False])
def test_the_same_weights_give_the_same_figures_and_nothing_else_moves(
    make_config: Callable, candidates: Callable, real_pairs: bool
) -> None:
    config = make_config(evaluate={"real_pairs": real_pairs, "judge_images": 8, "training_judge_images": 8})
    made, states = candidates(config), (torch.get_rng_state(), np.random.get_state()[1].copy())
    before = [candidate.to_bytes() for candidate in made]
    first = prepared_meter(config).measure(made)
    assert first == prepared_meter(config).measure(made) == prepared_meter(config).measure(made[::-1])
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])
    assert [candidate.to_bytes() for candidate in made] == before
    assert torch.is_grad_enabled()


def test_labels_that_evaluate_holds_out_have_no_say(make_config: Callable) -> None:
    for real_pairs in (True, False):
        config = make_config(evaluate={"real_pairs": real_pairs})
        prepared = prepare_stage(config)
        ours, theirs = part_for_training(prepared, config), part_sources(prepared, config.evaluate)
        measured_by, learned = set(ours.test_labels), set(ours.train_labels)
        assert measured_by and not measured_by & set(theirs.test_labels)
        assert not learned & (measured_by | set(theirs.test_labels))
        assert ours.train_pairs == theirs.train_pairs
        assert bool(learned) != real_pairs == bool(ours.train_pairs)


def test_the_judge_of_photographs_is_that_of_evaluate(
    make_config: Callable, candidates: Callable, tmp_path: Path
) -> None:
    config = make_config(evaluate={"judge_images": 8, "judges": str(tmp_path / "judges"), "num_judges": 2})
    prepared = prepare_stage(config)
    prepared_meter(config, prepared)
    (judge,) = config.judges_folder.iterdir()
    path = tmp_path / "snapshot-00000004.safetensors"
    path.write_bytes(candidates(config)[0].to_bytes())
    assert evaluate(config, prepared, SnapshotRef.of(path)).judged.holds == "ema"
    others = set(config.judges_folder.iterdir()) - {judge}
    assert len(others) == 5  # another of photographs, two of generated images, two of both
    assert not list(config.run_dir.glob("judge-*"))


def test_where_there_are_too_few_labels_it_is_said_and_off_nothing_is(
    make_config: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    config = make_config(num_labels=NUM_TEST + 1, evaluate={"real_pairs": False})
    prepared = prepare_stage(config)
    assert meter_of(config, prepared) is None
    assert "the last snapshot is used: There is one label" in caplog.text
    off = config.evaluate.model_copy(update={"during_training": False})
    caplog.clear()
    assert meter_of(config.model_copy(update={"evaluate": off}), prepared) is None
    assert not caplog.text


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "snapshots").iterdir()}


def lines(folder: Path) -> list[dict[str, float]]:
    """What a run logged, but for its speed."""
    found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "images_per_second"} for line in found]


def test_a_run_that_is_measured_trains_as_one_that_is_not_and_resumes_the_same(
    make_config: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config(
        train={"snapshot_every_images": 4}, evaluate={"judge_images": 8, "training_judge_images": 8}
    )
    prepared = prepare_stage(config)

    def at(name: str, **changes: object) -> RunConfig:
        evaluate = config.evaluate.model_copy(update={"judges": tmp_path / "judges"} | changes)
        return config.model_copy(update={"run_dir": tmp_path / name, "evaluate": evaluate})

    whole = train_stage(at("whole"), prepared)
    assert whole.path == best_snapshot(at("whole")).path
    assert [line["num_images_seen"] for line in lines(tmp_path / "whole")] == [2, 4, 4, 6, 8, 8]

    # Stopped between two snapshots, and once more as the last one is measured.
    measure, num_calls = AdherenceMeter.measure, 0

    def stop_at_the_second(self: AdherenceMeter, made: list[Snapshot]) -> object:
        nonlocal num_calls
        num_calls += 1
        if num_calls == 2:
            raise Interrupted("stopped", 15)
        return measure(self, made)

    with monkeypatch.context() as patch:
        patch.setattr(AdherenceMeter, "measure", stop_at_the_second)
        with pytest.raises(Interrupted):
            train_stage(at("parted"), prepared)
    assert train_stage(at("parted"), prepared).sha256 == whole.sha256
    assert files(tmp_path / "parted") == files(tmp_path / "whole")
    assert lines(tmp_path / "parted") == lines(tmp_path / "whole")

    # Run again it does nothing; without the meter it takes the same steps, and the last average is used.
    monkeypatch.setattr(judge_files, "train_judge", None)
    monkeypatch.setattr(AdherenceMeter, "measure", None)
    assert train_stage(at("whole"), prepared) == whole
    last = train_stage(at("plain", during_training=False), prepared)
    assert last.path.name == "snapshot-00000008.safetensors"
    assert Snapshot.from_bytes(last.path.read_bytes()).info.holds == "ema"
    plain = [line for line in lines(tmp_path / "whole") if "adherence_raw" not in line]
    assert lines(tmp_path / "plain") == plain


def test_a_size_that_cannot_be_drawn_is_said_before_training(
    make_config: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    networks = {"method": "ugatit", "ugatit": {"global_layers": 4, "local_layers": 3}}
    networks["discriminator"] = {"num_layers": [3]}  # as it is where nobody reads it
    for width, is_measured in ((24, True), (32, False)):
        config = make_config(train=networks, evaluate={"width": width})
        assert (meter_of(config, prepare_stage(config)) is not None) == is_measured
    assert "want images of 32 x 16 px, but a full UGATIT draws only its training crop, 24 x 16" in caplog.text
