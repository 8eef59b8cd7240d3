"""Takes the time of the training loop's own steps, without a run's images and files."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from gan.conditioning import LabelSpec
from gan.config import TrainConfig
from gan.data import HostBatch
from gan.snapshot import Snapshot
from gan.training_loop import train

__all__ = ["TrainingMeter", "forget_peak", "peak_mib", "wall_clock"]


@dataclass
class TrainingMeter:
    """What the training loop reads, asks and writes to, in place of a run's images and files: it takes the
    time of rounds of steps, and ends the loop after them."""

    host_batches: Iterator[HostBatch]
    num_rounds: int
    """That count."""
    steps_per_round: int = 1
    num_first_rounds: int = 1
    """That do not count: in the first a device chooses its ways and memory is found."""
    before_round: Callable[[], None] = lambda: None
    clock: Callable[[], float] = time.perf_counter
    """Has to wait for a device that works on its own."""
    seconds: list[float] = field(default_factory=list)
    metrics: list[dict[str, float]] = field(default_factory=list)
    checkpoint: dict[str, Any] | None = None
    """The state at the end."""
    _num_steps: int = 0
    _start: float = 0.0

    def run(self, config: TrainConfig, spec: LabelSpec, preview: HostBatch) -> "TrainingMeter":
        """Train through all rounds."""
        train(
            config,
            spec,
            batches=self.batches,
            preview=preview,
            outputs=self,
            should_stop=self.should_stop,
        )
        return self

    def batches(self, num_images_seen: int) -> Iterator[HostBatch]:
        """The given ones; a round begins as the first of its batches is asked for."""
        while True:
            if self._num_steps % self.steps_per_round == 0:
                self.before_round()
                self._start = self.clock()
            yield next(self.host_batches)

    def should_stop(self) -> bool:
        """Asked at the end of each step, before anything is reported or saved."""
        self._num_steps += 1
        round_number, rest = divmod(self._num_steps, self.steps_per_round)
        if rest == 0 and round_number > self.num_first_rounds:
            self.seconds.append(self.clock() - self._start)
        return len(self.seconds) == self.num_rounds

    def newest_checkpoint(self, device: torch.device) -> None:
        """None: a run from the start."""

    def start(self, num_images_seen: int) -> None:
        """Nothing to do."""

    def save_checkpoint(self, num_images_seen: int, state: dict[str, Any]) -> None:
        self.checkpoint = state

    def save_snapshot(self, num_images_seen: int, candidates: Sequence[Snapshot]) -> None:
        """Nothing to do."""

    def save_preview(self, num_images_seen: int, grid: np.ndarray) -> None:
        """Nothing to do."""

    def report(self, num_images_seen: int, metrics: dict[str, float]) -> None:
        self.metrics.append(metrics)


def wall_clock(device: torch.device) -> Callable[[], float]:
    """Wall time, once the device has done all that it was given."""

    def clock() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter()

    return clock


def forget_peak(device: torch.device) -> None:
    """Let `peak_mib` count from now on."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_mib(device: torch.device) -> float | None:
    """Memory that tensors took on a GPU at most, since the peak was forgotten."""
    return torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else None
