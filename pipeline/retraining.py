"""When a finished training is begun anew, and where: each training of a run has a folder of its own.

The first one is `run_dir` itself, later ones are `run_dir/retrained/0001` and so on, none of which is ever
changed by a later one. Which of them drew an image, its row says by the snapshot's hash.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime

from gan.config import StrictModel
from manifests.durable import make_folders, write_durable
from manifests.schema import SampleRecord
from pipeline.config import RunConfig
from pipeline.prepare import Prepared
from pipeline.snapshot_files import finished_snapshot

__all__ = ["newest_training", "training_folders", "training_to_use"]

logger = logging.getLogger(__name__)

RETRAINED_FOLDER = "retrained"
RECORD_NAME = "trained_on.json"


class _TrainedOn(StrictModel):
    """What a training began with."""

    begun: AwareDatetime
    why: str
    photos_sha256: str
    """Of the hashes of all photographs to train on."""
    classes: tuple[str, ...]
    """Names of the classes that the labels show."""


def training_folders(run_dir: Path) -> list[Path]:
    """The folders of a run's trainings, the first one first."""
    later = (path.parent for path in (run_dir / RETRAINED_FOLDER).glob(f"*/{RECORD_NAME}"))
    return [run_dir, *sorted(later)]


def newest_training(config: RunConfig) -> RunConfig:
    """The run with the folder of its newest training as its run_dir, and with the judges of all trainings."""
    return _within(config, training_folders(config.run_dir)[-1])


def training_to_use(
    config: RunConfig, prepared: Prepared, *, now: Callable[[], datetime] | None = None
) -> RunConfig:
    """The run with the folder of the training that is to be finished, or has finished, as its run_dir: the
    newest one, unless `retrain` wants another.

    Args:
        config: the run.
        prepared: what it would train on.
        now: the time, with its zone.
    """
    time = now() if now else datetime.now(UTC)
    folder = training_folders(config.run_dir)[-1]
    present = _TrainedOn(
        begun=time,
        why="the first training",
        photos_sha256=_photos_sha256(prepared),
        classes=_shown_classes(config, prepared.records),
    )
    record = _read(folder)
    if record is None:
        # Nothing was trained yet, or before there were such records: what is there now is what counts.
        _write(folder, present)
        return _within(config, folder)
    chosen = _within(config, folder)
    why = _why_anew(config, record, present)
    if why is None or finished_snapshot(chosen) is None:
        return chosen
    number = len(training_folders(config.run_dir))
    folder = config.run_dir / RETRAINED_FOLDER / f"{number:04d}"
    logger.info("Training begins anew in %s: %s.", folder, why)
    _write(folder, present.model_copy(update={"why": why}))
    return _within(config, folder)


def _why_anew(config: RunConfig, trained: _TrainedOn, present: _TrainedOn) -> str | None:
    """The reason for a new training, as a clause."""
    wanted = config.retrain
    if wanted.on_new_photos and present.photos_sha256 != trained.photos_sha256:
        return "the photographs have changed"
    new_classes = [name for name in present.classes if name not in trained.classes]
    if wanted.on_new_classes and new_classes:
        return f"labels show classes that no label showed before: {', '.join(new_classes)}"
    if wanted.every_days and present.begun - trained.begun >= timedelta(days=wanted.every_days):
        return (
            f"the last training began at {trained.begun:%Y-%m-%d %H:%M}, over {wanted.every_days:g} days ago"
        )
    return None


def _within(config: RunConfig, folder: Path) -> RunConfig:
    if folder == config.run_dir:
        return config
    evaluate = config.evaluate.model_copy(update={"judges": config.judges_folder})
    return config.model_copy(update={"run_dir": folder, "evaluate": evaluate})


def _photos_sha256(prepared: Prepared) -> str:
    sha256_of = {photo.path: photo.sha256 for photo in prepared.photos}
    return hashlib.sha256(
        "\n".join(sorted(sha256_of[path] for path in prepared.train_photos)).encode()
    ).hexdigest()


def _shown_classes(config: RunConfig, labels: Sequence[SampleRecord]) -> tuple[str, ...]:
    names = [each.name for each in config.read_palette().classes]
    return tuple(
        name for index, name in enumerate(names) if any(label.class_pixel_counts[index] for label in labels)
    )


def _read(folder: Path) -> _TrainedOn | None:
    try:
        return _TrainedOn.model_validate_json((folder / RECORD_NAME).read_bytes())
    except FileNotFoundError:
        return None


def _write(folder: Path, record: _TrainedOn) -> None:
    make_folders(folder)
    write_durable(folder / RECORD_NAME, record.model_dump_json(indent=1).encode())
