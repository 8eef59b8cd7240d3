"""Everything that one training run leaves on disk."""

import json
import logging
import pickle
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tensorboardX import SummaryWriter

from gan.snapshot import Snapshot
from manifests.durable import exclusive_lock, is_temporary, make_folders, open_durable, write_durable
from pipeline.config import RunConfig, as_yaml
from pipeline.evaluation.measured import MeasuredWeights
from pipeline.evaluation.meter import AdherenceMeter
from pipeline.images import encode_png
from pipeline.progress import Progress
from pipeline.snapshot_files import describe, numbered_files

__all__ = ["CheckpointError", "RunDir", "RunDirReader", "newest_checkpoint"]

logger = logging.getLogger(__name__)

NUM_CHECKPOINTS_KEPT = 2


class CheckpointError(ValueError):
    """Checkpoints that cannot be read."""


class RunDir:
    """Checkpoints, snapshots, previews, metrics.jsonl and TensorBoard events of one run; what
    `gan.training_loop` writes to.

    Every file is whole or absent. Use it within `RunDir.open`, which holds the run's lock.
    """

    def __init__(self, config: RunConfig, progress: Progress, meter: AdherenceMeter | None = None):
        self.root = config.run_dir
        self._config = config
        self._meter = meter
        self._progress = lambda num_images_seen, note="": progress(
            num_images_seen, config.train.total_images, note
        )
        self._board: SummaryWriter | None = None
        self._num_images_reported = 0
        self._last_report = time.monotonic()
        for name in ("checkpoints", "snapshots", "previews"):
            make_folders(self.root / name)
            for path in (self.root / name).iterdir():
                if is_temporary(path.name):
                    path.unlink()

    @classmethod
    @contextmanager
    def open(
        cls, config: RunConfig, progress: Progress, meter: AdherenceMeter | None = None
    ) -> Iterator["RunDir"]:
        """The run's directory, made if missing and locked against a second run.

        Args:
            config: the run.
            progress: told of the images seen and the losses.
            meter: what chooses between the candidates for a snapshot; None = the first is taken.

        Raises:
            LockHeldError: another process trains there.
        """
        make_folders(config.run_dir)
        with exclusive_lock(config.run_dir / ".lock", what=f"The training run {config.run_dir}"):
            run_dir = cls(config, progress, meter)
            try:
                yield run_dir
            finally:
                if run_dir._board is not None:
                    run_dir._board.close()

    def newest_checkpoint(self, device: torch.device) -> dict[str, Any] | None:
        """As the function of that name."""
        return newest_checkpoint(self.root, device)

    def start(self, num_images_seen: int) -> None:
        """Begin to log from here: later lines of metrics.jsonl are dropped, as they come again."""
        self._num_images_reported, self._last_report = num_images_seen, time.monotonic()
        self._progress(num_images_seen)
        self._board = SummaryWriter(str(self.root / "tensorboard"), purge_step=num_images_seen + 1)
        write_durable(self.root / "config.yaml", as_yaml(self._config).encode())
        log = self.root / "metrics.jsonl"
        if log.exists():
            kept = [line for line in _whole_lines(log) if line["num_images_seen"] <= num_images_seen]
            write_durable(log, "".join(json.dumps(line) + "\n" for line in kept).encode())

    def save_checkpoint(self, num_images_seen: int, state: dict[str, Any]) -> None:
        """Write a checkpoint and drop all but the newest two."""
        with open_durable(self.root / "checkpoints" / f"checkpoint-{num_images_seen:08d}.pt") as file:
            torch.save(state, file)
        for _, path in numbered_files(self.root / "checkpoints", "checkpoint", "pt")[:-NUM_CHECKPOINTS_KEPT]:
            path.unlink()

    def save_snapshot(self, num_images_seen: int, candidates: Sequence[Snapshot]) -> None:
        """Write the candidate that follows labels best, or the first where that is not measured; beside it
        its description, for people and for `pipeline.snapshot_files`."""
        chosen, measured = candidates[0], None
        if self._meter is not None:
            begin = time.monotonic()
            measured = self._meter.measure(candidates)
            (chosen,) = (each for each in candidates if each.info.holds == measured.best)
            self._log_adherence(num_images_seen, measured)
            self._last_report += time.monotonic() - begin  # images per second are those of training
        path = self.root / "snapshots" / f"snapshot-{num_images_seen:08d}.safetensors"
        write_durable(path.with_suffix(".json"), describe(chosen.info.model_dump(mode="json"), measured))
        write_durable(path, chosen.to_bytes())

    def _log_adherence(self, num_images_seen: int, measured: MeasuredWeights) -> None:
        curves = {f"adherence_{holds}": scores.miou for holds, scores in measured.scores.items()}
        figures = ", ".join(f"{holds} {scores.miou:.3f}" for holds, scores in measured.scores.items())
        logger.info("At %d images: adherence (mIoU) %s.", num_images_seen, figures)
        self._log(num_images_seen, curves)

    def save_preview(self, num_images_seen: int, grid: np.ndarray) -> None:
        """Write the preview grid, uint8 [H, W, 3]."""
        write_durable(self.root / "previews" / f"preview-{num_images_seen:08d}.png", encode_png(grid))
        if self._board is not None:
            self._board.add_image("preview", grid, num_images_seen, dataformats="HWC")

    def report(self, num_images_seen: int, metrics: dict[str, float]) -> None:
        """Append a line to metrics.jsonl and a point to each TensorBoard curve, and move the progress on."""
        now = time.monotonic()
        rate = (num_images_seen - self._num_images_reported) / max(now - self._last_report, 1e-9)
        self._num_images_reported, self._last_report = num_images_seen, now
        self._log(num_images_seen, metrics, images_per_second=rate)
        self._progress(num_images_seen, _note(metrics))

    def _log(self, num_images_seen: int, curves: dict[str, float], **others: float) -> None:
        line = {"num_images_seen": num_images_seen, **curves, **others}
        with open(self.root / "metrics.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        for name, value in curves.items():
            self._board.add_scalar(name.replace("_", "/", 1), value, num_images_seen)


class RunDirReader:
    """A run directory for processes that train along with the one that writes it."""

    def __init__(self, config: RunConfig):
        self.root = config.run_dir

    def newest_checkpoint(self, device: torch.device) -> dict[str, Any] | None:
        """As the function of that name."""
        return newest_checkpoint(self.root, device)

    def start(self, num_images_seen: int) -> None:
        """Nothing: another process logs."""

    def save_checkpoint(self, num_images_seen: int, state: dict[str, Any]) -> None:
        """Nothing: another process writes it."""

    def save_snapshot(self, num_images_seen: int, candidates: Sequence[Snapshot]) -> None:
        """Nothing: another process writes it."""

    def save_preview(self, num_images_seen: int, grid: np.ndarray) -> None:
        """Nothing: another process writes it."""

    def report(self, num_images_seen: int, metrics: dict[str, float]) -> None:
        """Nothing: another process logs."""


def newest_checkpoint(root: Path, device: torch.device) -> dict[str, Any] | None:
    """The state of a run's newest checkpoint that can be read, on a device; None when there is none.

    Raises:
        CheckpointError: there are checkpoints, and none can be read.
    """
    paths = numbered_files(root / "checkpoints", "checkpoint", "pt")
    for _, path in reversed(paths):
        try:
            return torch.load(path, map_location=device, weights_only=True)
        except (RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
            reason = str(error).partition("\n")[0]
            logger.warning("Checkpoint %s cannot be read and is passed over: %s", path, reason)
    if paths:
        raise CheckpointError(
            f"None of the {len(paths)} checkpoints in {root / 'checkpoints'} can be read; "
            "bring one back from a copy, or remove them to train from the start."
        )
    return None


def _whole_lines(log: Path) -> Iterator[dict[str, Any]]:
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            logger.warning(
                "%s ends in half a line, which was dropped: the run was killed as it wrote it.", log
            )


def _note(metrics: dict[str, float]) -> str:
    shown = {
        "G": ("adversarial_a", "adversarial_b"),
        "cycle": ("cycle_a", "cycle_b"),
        "D": ("discriminator_a", "discriminator_b"),
        "D right": ("accuracy_a", "accuracy_b"),
    }
    parts = []
    for title, names in shown.items():
        values = [f"{metrics[name]:.2f}" for name in names if name in metrics]
        if values:
            parts.append(f"{title} {'/'.join(values)}")
    return ", ".join(parts)
