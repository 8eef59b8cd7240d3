"""Trains the entries of a comparison and measures each."""

import json
import logging
from collections.abc import Collection
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from manifests.durable import make_folders, write_durable
from pipeline.comparison.config import CompareConfig
from pipeline.comparison.pictures import draw_curves, draw_examples, draw_sheet
from pipeline.comparison.resolved import differences, resolved_measure, resolved_training
from pipeline.config import ConfigError, RunConfig
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.results import as_plain
from pipeline.images import encode_png
from pipeline.machine import describe_machine
from pipeline.prepare import Prepared
from pipeline.progress import ShowProgress, show_progress
from pipeline.run import gather_stage, prepare_stage, train_stage

__all__ = ["compare", "write_pictures"]

logger = logging.getLogger(__name__)

NUM_CURVE_POINTS = 40
CURVES = ("accuracy_a", "accuracy_b")
MAX_NAMED = 5
"""Settings that are named where many differ."""


class _Planned(NamedTuple):
    """An entry whose settings and sources are known."""

    name: str
    run: RunConfig
    prepared: Prepared
    training: dict[str, Any]
    """What its weights depend on."""
    measure: dict[str, Any]
    """What the figures of its weights depend on."""


def compare(
    config: CompareConfig, *, only: Collection[str] = (), show: ShowProgress = show_progress
) -> dict[str, Any]:
    """Train every entry with the same budget and measure it; entries that are done are not done again.

    Args:
        config: the comparison.
        only: entries to do now; of the others, those that are done are among what was found. All if empty.
        show: how progress is shown.

    Returns:
        What was found, as plain values for JSON: "budget", and by name "entries", each with its settings, the
        machine that trained it, training and evaluation.

    Raises:
        ConfigError: an entry's sources or settings cannot be used, or are others than those that it was made
            with.
        Interrupted: SIGINT or SIGTERM came while training; run again, it goes on.
        TrainingDiverged: a loss or weight is not finite.
    """
    # Whatever is to be refused is refused before hours of training.
    names = [name for name in config.entries if not only or name in only or _result(config, name).exists()]
    planned = {name: _planned(config, name, show) for name in names}
    for number, (name, entry) in enumerate(planned.items(), 1):
        if not _result(config, name).exists():
            logger.info("Entry %d of %d: %s", number, len(planned), name)
            write_durable(_result(config, name), json.dumps(_made(config, entry, show), indent=1).encode())
    # Other processes may have made others meanwhile: what they made is to be of these settings, too.
    done = [name for name in config.entries if _result(config, name).exists()]
    for name in done:
        if name not in planned:
            _planned(config, name, show)
    entries = {name: json.loads(_result(config, name).read_text(encoding="utf-8")) for name in done}
    return {"budget": {"minutes": config.minutes, "total_images": config.total_images}, "entries": entries}


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


def _result(config: CompareConfig, name: str) -> Path:
    return config.folder / name / "result.json"


def _planned(config: CompareConfig, name: str, show: ShowProgress) -> _Planned:
    """An entry, if what its folder holds was made with the same settings and sources."""
    run = gather_stage(config.run_of(name), show)
    prepared = prepare_stage(run, show)
    planned = _Planned(name, run, prepared, resolved_training(config, run, prepared), resolved_measure(run))
    made_with = {
        _budget(run): planned.training,
        _result(config, name): planned.training | planned.measure,
    }
    for path, wanted in made_with.items():
        if path.exists():
            found = json.loads(path.read_text(encoding="utf-8")).get("settings", {})
            _require_same(planned, path, differences(found, wanted))
    return planned


def _require_same(entry: _Planned, path: Path, others: list[str]) -> None:
    if not others:
        return
    shown = ", ".join(others[:MAX_NAMED]) + (", ..." if len(others) > MAX_NAMED else "")
    keeps_weights = {key.partition(".")[0] for key in others} <= set(entry.measure)
    way = f"{path} to measure its weights anew" if keeps_weights else f"{entry.run.run_dir} to train it anew"
    raise ConfigError(
        f"{path} is of entry '{entry.name}' with other settings or sources ({shown} changed); choose another "
        f"folder for the comparison, or remove {way}."
    )


def _made(config: CompareConfig, entry: _Planned, show: ShowProgress) -> dict[str, Any]:
    run, prepared = _with_budget(config, entry), entry.prepared
    snapshot = train_stage(run, prepared, show)
    labels, images = draw_examples(run, prepared, snapshot.path)
    write_durable(_labels_row(config), encode_png(labels))
    write_durable(_images_row(config, entry.name), encode_png(images))
    return {
        "settings": entry.training | entry.measure,
        "train": run.train.model_dump(mode="json"),
        "machine": json.loads(_budget(run).read_text(encoding="utf-8"))["machine"],
        "training": _training(run),
        "evaluation": as_plain(evaluate(run, prepared, snapshot, show=show)),
    }


def _budget(run: RunConfig) -> Path:
    return run.run_dir / "budget.json"


def _with_budget(config: CompareConfig, entry: _Planned) -> RunConfig:
    """The run with as many images as its budget holds; measured once, and remembered for a resume."""
    run, path = entry.run, _budget(entry.run)
    if not path.exists():
        total_images = config.total_images or _images_within(config.minutes, run, entry.prepared)
        found = {
            "settings": entry.training,
            "machine": describe_machine(),
            "total_images": total_images,
        }
        make_folders(path.parent)
        write_durable(path, json.dumps(found, indent=1).encode())
    total_images = json.loads(path.read_text(encoding="utf-8"))["total_images"]
    return run.model_copy(update={"train": run.train.model_copy(update={"total_images": total_images})})


def _images_within(minutes: float, run: RunConfig, prepared: Prepared) -> int:
    from pipeline.comparison.speed import images_per_second

    step = run.train.batch_size
    return max(1, round(images_per_second(run, prepared) * minutes * 60 / step)) * step


def _training(run: RunConfig) -> dict[str, Any]:
    """How the training went: images, seconds, and on the way the discriminators' accuracy and the snapshots'
    adherence."""
    lines = [json.loads(line) for line in (run.run_dir / "metrics.jsonl").read_text("utf-8").splitlines()]
    reports = [line for line in lines if "images_per_second" in line]
    seen = [line["num_images_seen"] for line in reports]
    num_images = [after - before for before, after in pairwise([0, *seen])]
    # A training that ends soon after a report reports few images once more: noise, where there are others.
    enough = run.train.report_every_images / 2
    means = [line for line, num in zip(reports, num_images, strict=True) if num >= enough] or reports
    chosen = means[:: -(len(means) // NUM_CURVE_POINTS + 1)][::-1]  # the last is among them
    rates = sorted(line["images_per_second"] for line in reports)
    return {
        "total_images": run.train.total_images,
        "seconds": sum(
            num / line["images_per_second"] for line, num in zip(reports, num_images, strict=True)
        ),
        "images_per_second": rates[len(rates) // 2],
        "curve": [{key: line[key] for key in ("num_images_seen", *CURVES) if key in line} for line in chosen],
        "adherence": [line for line in lines if "adherence_raw" in line],
    }
