"""The training stage: from checked sources to a snapshot."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gan.conditioning import LabelSpec
from gan.distributed import ALONE, Ranks
from gan.snapshot import BaseSnapshot, Snapshot, SnapshotError
from gan.training_loop import RunOutputs, train
from manifests.durable import make_folders
from pipeline.base_snapshot import base_fault, base_sha256
from pipeline.config import ConfigError, RunConfig
from pipeline.evaluation.meter import AdherenceMeter
from pipeline.interruption import Interrupted, watch_signals
from pipeline.palette import Palette
from pipeline.preprocess import noise_table
from pipeline.progress import ShowProgress, show_progress
from pipeline.run_dir import RunDir, RunDirReader
from pipeline.snapshot_files import finished_snapshot
from pipeline.training_images import TrainingImages

__all__ = ["label_spec", "require_equal_shares", "train_run"]

logger = logging.getLogger(__name__)


def train_run(
    config: RunConfig,
    labels: Sequence[Path],
    photos: Sequence[Path],
    renders: Sequence[Path] = (),
    *,
    meter: AdherenceMeter | None = None,
    show: ShowProgress = show_progress,
    ranks: Ranks = ALONE,
) -> Path:
    """Train to the end of the run, from its newest checkpoint if any; return the best snapshot's path.

    Several processes call this together; the first one holds the run directory and writes, shows and logs.

    Args:
        config: the run.
        labels: segmentation images to train on.
        photos: photographs to train on; paired with the labels only where `train.paired` says so.
        renders: of each label, where `train.conditioning` is "render".
        meter: what measures the snapshots, on the first process; None = the last one is the best.
        show: how progress is shown.
        ranks: the processes that train together.

    Raises:
        Interrupted: SIGINT or SIGTERM came to any of them; a checkpoint is written.
        TrainingDiverged: a loss or weight is not finite.
        CheckpointMismatch: the run directory holds a run with other settings.
        LockHeldError: another process trains there.
        ConfigError: the noise confuses classes, labels that should have photographs have none, or a batch
            cannot be shared equally, or training cannot start from `train.from_snapshot`.
        CheckpointError: there are checkpoints, and none can be read.
        BadImageError: a source cannot be read any more.
    """
    require_equal_shares(config, ranks.num)
    palette = config.read_palette()
    spec = label_spec(palette, config)
    images = TrainingImages(config, palette, labels, photos, renders, share=ranks.share)
    make_folders(config.run_dir)
    with _outputs(config, meter, ranks, show) as outputs, watch_signals() as received:
        train(
            config.train,
            spec,
            batches=images.batches,
            preview=images.preview(config.train.num_preview),
            outputs=outputs,
            should_stop=lambda: received() is not None,
            ranks=ranks,
            base=_base(config),
        )
    # A signal during the last step or the last files counts too, though the training is complete; and until
    # all ranks are here, files may be half written.
    signal_number = ranks.highest(received() or 0)
    if signal_number:
        raise Interrupted(f"Training stopped with a checkpoint in {config.run_dir}.", signal_number)
    return finished_snapshot(config)


def require_equal_shares(config: RunConfig, num_processes: int) -> None:
    """Go on only if every process gets as many images of a batch.

    Raises:
        ConfigError: they would not.
    """
    batch_size = config.train.batch_size
    if batch_size % num_processes:
        raise ConfigError(
            f"train.batch_size {batch_size} cannot be shared by {num_processes} processes; make it a "
            f"multiple of {num_processes}."
        )


def _base(config: RunConfig) -> BaseSnapshot | None:
    path, fault = config.train.from_snapshot, base_fault(config)
    if path is None:
        return None
    if fault is not None:
        raise ConfigError(f"train.from_snapshot {path} cannot be started from: {fault}.")
    try:
        return BaseSnapshot(Snapshot.from_bytes(path.read_bytes()), base_sha256(config))
    except SnapshotError as error:
        raise ConfigError(f"train.from_snapshot {path}: {error}") from None


@contextmanager
def _outputs(
    config: RunConfig, meter: AdherenceMeter | None, ranks: Ranks, show: ShowProgress
) -> Iterator[RunOutputs]:
    """The run directory, which the first rank alone locks and writes."""
    if not ranks.is_first:
        yield RunDirReader(config)
        return
    with show("train", "images") as progress, RunDir.open(config, progress, meter) as run_dir:
        if meter is not None:
            meter.prepare(show)
        yield run_dir


def label_spec(palette: Palette, config: RunConfig) -> LabelSpec:
    """What a method needs to know of the labels' classes."""
    try:
        table = noise_table(palette, config.color_noise)
    except ValueError as error:
        raise ConfigError(f"{error}.") from None
    return LabelSpec(
        table, palette.is_background, palette.is_ignored, config.noise, palette.model_dump(mode="json")
    )
