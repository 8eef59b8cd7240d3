"""Trains the entries of a comparison and measures each."""

import json
import logging
from pathlib import Path
from typing import Any

from manifests.durable import make_folders, write_durable
from pipeline.comparison.config import CompareConfig
from pipeline.comparison.pictures import draw_curves, draw_examples, draw_sheet
from pipeline.config import ConfigError, RunConfig
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.results import as_plain
from pipeline.images import encode_png
from pipeline.machine import describe_machine
from pipeline.prepare import Prepared
from pipeline.progress import ShowProgress, show_progress
from pipeline.run import draw_stage, prepare_stage, train_stage

__all__ = ["compare", "write_pictures"]

logger = logging.getLogger(__name__)

NUM_CURVE_POINTS = 40
CURVES = ("accuracy_a", "accuracy_b")


def compare(config: CompareConfig, *, show: ShowProgress = show_progress) -> dict[str, Any]:
    """Train every entry with the same budget and measure it; entries that are done are not done again.

    Returns:
        What was found, as plain values for JSON: "machine", "budget", and by name "entries", each with its
        settings, training and evaluation.

    Raises:
        ConfigError: an entry's sources or settings cannot be used.
        Interrupted: SIGINT or SIGTERM came while training; run again, it goes on.
        TrainingDiverged: a loss or weight is not finite.
    """
    entries = {}
    for number, name in enumerate(config.entries, 1):
        path = config.folder / name / "result.json"
        if not _is_done(path, config, name):
            logger.info("Entry %d of %d: %s", number, len(config.entries), name)
            write_durable(path, json.dumps(_entry(config, name, show), indent=1).encode())
        entries[name] = json.loads(path.read_text(encoding="utf-8"))
    budget = {"minutes": config.minutes, "total_images": config.total_images}
    return {"machine": describe_machine(), "budget": budget, "entries": entries}


def write_pictures(config: CompareConfig, found: dict[str, Any]) -> list[Path]:
    """Write what the entries of a finished comparison draw, and how their discriminators did, for people;
    return the pictures' paths."""
    rows = {name: _images_row(config, name) for name in found["entries"]}
    pictures = {
        config.folder / "images.png": draw_sheet(found, _labels_row(config), rows),
        config.folder / "discriminators.png": draw_curves(found),
    }
    for path, data in pictures.items():
        write_durable(path, data)
    return list(pictures)


def _labels_row(config: CompareConfig) -> Path:
    return config.folder / "labels.png"


def _images_row(config: CompareConfig, name: str) -> Path:
    return config.folder / name / "images.png"


def _is_done(path: Path, config: CompareConfig, name: str) -> bool:
    if not path.exists():
        return False
    found = json.loads(path.read_text(encoding="utf-8"))
    if found["settings"] == _settings(config, name):
        return True
    raise ConfigError(f"{path.parent} holds entry '{name}' of another comparison; choose another folder.")


def _entry(config: CompareConfig, name: str, show: ShowProgress) -> dict[str, Any]:
    run = draw_stage(config.run_of(name), show)
    prepared = prepare_stage(run, show)
    run = _with_budget(config, run, prepared)
    snapshot = train_stage(run, prepared, show)
    labels, images = draw_examples(run, prepared, snapshot.path)
    write_durable(_labels_row(config), encode_png(labels))
    write_durable(_images_row(config, name), encode_png(images))
    return {
        "settings": _settings(config, name),
        "train": run.train.model_dump(mode="json"),
        "training": _training(run),
        "evaluation": as_plain(evaluate(run, prepared, snapshot, show=show)),
    }


def _settings(config: CompareConfig, name: str) -> dict[str, Any]:
    return {
        "overrides": [*config.overrides, *config.entries[name]],
        "minutes": config.minutes,
        "total_images": config.total_images,
    }


def _with_budget(config: CompareConfig, run: RunConfig, prepared: Prepared) -> RunConfig:
    """The run with as many images as its budget holds; measured once, and remembered for a resume."""
    total_images = config.total_images
    if config.minutes is not None:
        path = run.run_dir / "budget.json"
        if not path.exists():
            from pipeline.comparison.speed import images_per_second

            rate = images_per_second(run, prepared)
            make_folders(path.parent)
            write_durable(path, json.dumps({"images_per_second": rate}).encode())
        rate = json.loads(path.read_text(encoding="utf-8"))["images_per_second"]
        step = run.train.batch_size
        total_images = max(1, round(rate * config.minutes * 60 / step)) * step
    return run.model_copy(update={"train": run.train.model_copy(update={"total_images": total_images})})


def _training(run: RunConfig) -> dict[str, Any]:
    """How the training went: images, their rate, and on the way the discriminators' accuracy and the
    snapshots' adherence."""
    lines = [json.loads(line) for line in (run.run_dir / "metrics.jsonl").read_text("utf-8").splitlines()]
    reports = [line for line in lines if "images_per_second" in line]
    chosen = reports[:: -(len(reports) // NUM_CURVE_POINTS + 1)][::-1]  # the last is among them
    rates = sorted(line["images_per_second"] for line in reports)
    return {
        "total_images": run.train.total_images,
        "images_per_second": rates[len(rates) // 2],
        "curve": [{key: line[key] for key in ("num_images_seen", *CURVES) if key in line} for line in chosen],
        "adherence": [line for line in lines if "adherence_raw" in line],
    }
