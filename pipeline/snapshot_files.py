"""Which snapshots a run has left, and which of them is used; looked up without loading a network."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from gan.config import RESUMABLE_CHANGES, TrainConfig
from gan.snapshot_info import upgraded
from pipeline.base_snapshot import base_sha256
from pipeline.config import RunConfig
from pipeline.evaluation.measured import EQUAL_MIOU, MeasuredWeights

__all__ = ["Chosen", "best_snapshot", "describe", "finished_snapshot", "measured_of", "numbered_files"]


class Chosen(NamedTuple):
    """The snapshot of a run that is used."""

    path: Path
    why: str
    """A sentence for the log."""


class _Found(NamedTuple):
    """A snapshot of a run."""

    num_images_seen: int
    path: Path
    measured: MeasuredWeights | None
    """None = its adherence was not measured."""


def best_snapshot(config: RunConfig) -> Chosen | None:
    """The snapshot of this run whose images follow their labels best, the last of about equals
    (EQUAL_MIOU); None when it has left none.

    Only snapshots that were measured as the last one was can be compared with it. Where the last one was not
    measured, or `evaluate.during_training` is off, it is the last one. Snapshots that a run with other
    settings, noise or palette left in the folder do not count.
    """
    found = _snapshots(config)
    return _best(config, found) if found else None


def finished_snapshot(config: RunConfig) -> Path | None:
    """The best snapshot of this run when it is complete; None when there is something left to train."""
    found = _snapshots(config)
    if not found or found[-1].num_images_seen < config.train.total_images:
        return None
    return _best(config, found).path


def _best(config: RunConfig, found: Sequence[_Found]) -> Chosen:
    last = found[-1]
    if not config.evaluate.during_training:
        why = "evaluate.during_training is false"
    elif last.measured is None:
        why = "its adherence was not measured"
    else:
        rivals = [each for each in found if each.measured and each.measured.measure == last.measured.measure]
        highest = max(each.measured.best_miou for each in rivals)
        best = [each for each in rivals if each.measured.best_miou >= highest - EQUAL_MIOU][-1]
        measured = best.measured
        others = f", the last of the best among {len(rivals)}" if len(rivals) > 1 else ""
        return Chosen(
            best.path,
            f"{best.path.name} is used{others}: adherence {measured.best_miou:.3f} mIoU (judge: "
            f"{measured.judge}, weights: {measured.best}).",
        )
    return Chosen(last.path, f"{last.path.name} is used, the last one, as {why}.")


def describe(info: dict[str, Any], measured: MeasuredWeights | None) -> bytes:
    """The JSON beside a snapshot: what it says of itself, and what was measured as it was taken."""
    adherence = measured and measured.model_dump(mode="json")
    return json.dumps(info | {"adherence": adherence}, indent=2, allow_nan=False).encode()


def _snapshots(config: RunConfig) -> list[_Found]:
    """The snapshots of exactly this run, by ascending images seen."""
    wanted = _identity(
        {
            "train": config.train.model_dump(mode="json"),
            "noise": config.noise.model_dump(mode="json"),
            "palette": config.read_palette().model_dump(mode="json"),
            "base_sha256": base_sha256(config),
        }
    )
    found = []
    for num_images_seen, path in numbered_files(config.run_dir / "snapshots", "snapshot", "safetensors"):
        info = _info(path)
        if _identity(info) == wanted:
            found.append(_Found(num_images_seen, path, _measured(info)))
    return found


def measured_of(path: Path) -> MeasuredWeights | None:
    """The adherence of a snapshot's weights, where it was measured."""
    return _measured(_info(path))


def _info(path: Path) -> dict[str, Any]:
    return upgraded(json.loads(path.with_suffix(".json").read_text(encoding="utf-8")))


def _measured(info: dict[str, Any]) -> MeasuredWeights | None:
    adherence = info.get("adherence")
    return None if adherence is None else MeasuredWeights.model_validate(adherence)


def _identity(info: dict[str, Any]) -> dict[str, Any] | None:
    """What makes two runs the same run; settings that are newer than a file have their defaults in it. None
    when the file's settings are none of today's."""
    try:
        train = TrainConfig.model_validate(info["train"]).model_dump(mode="json", exclude=RESUMABLE_CHANGES)
    except ValidationError:
        return None
    base = info.get("base_sha256")
    return {"train": train, "noise": info["noise"], "palette": info["palette"], "base": base}


def numbered_files(folder: Path, stem: str, suffix: str) -> list[tuple[int, Path]]:
    """`<stem>-<number>.<suffix>` files of a folder by ascending number."""
    pattern = re.compile(rf"{stem}-(\d+)\.{suffix}")
    found = ((pattern.fullmatch(path.name), path) for path in folder.glob(f"{stem}-*.{suffix}"))
    return sorted((int(match[1]), path) for match, path in found if match)
