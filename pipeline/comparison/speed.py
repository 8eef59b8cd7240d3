"""How fast a run trains on this machine."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from gan.device import resolve_device
from gan.snapshot import Snapshot
from gan.training_loop import train
from pipeline.config import RunConfig
from pipeline.prepare import Prepared
from pipeline.training import label_spec
from pipeline.training_images import TrainingImages

__all__ = ["fastest_step", "images_per_second"]

NUM_WARMUP_STEPS = 3
MIN_STEPS = 8
MIN_SECONDS = 10.0


def images_per_second(config: RunConfig, prepared: Prepared) -> float:
    """Images per second of the run's first steps; nothing is kept of them.

    On a CPU the seconds are those of one core, whatever else the machine does: the training thread's CPU time
    with one torch thread, in the fastest of several steps. Of a step that took it 1.6 s, the wall clock said
    4.3 s beside two busy processes on two cores, and 7.8 s beside five, when it took 1.9 s. With more threads
    there is no such figure: threads that wait for one another spin, and on a full machine most of their CPU
    time is that (a step took two threads 4.7 s each). Images are decoded in other threads, which does not
    count.

    On a GPU they are seconds of the wall clock.

    Args:
        config: the run.
        prepared: its sources.
    """
    palette, device = config.read_palette(), resolve_device(config.train.device)
    images = TrainingImages(config, palette, *prepared.train_images)
    clock = time.thread_time if device.type == "cpu" else time.perf_counter
    period = config.train.r1_every_steps if config.train.loss.r1 else 1
    num_wanted = max(MIN_STEPS, 2 * period)
    times: list[float] = []
    begin = time.monotonic()

    def is_enough() -> bool:
        if device.type != "cpu":
            torch.cuda.synchronize()
        times.append(clock())
        num_steps = len(times) - NUM_WARMUP_STEPS - 1
        return num_steps >= num_wanted and time.monotonic() - begin >= MIN_SECONDS

    with _threads(1 if device.type == "cpu" else torch.get_num_threads()):
        train(
            config.train.model_copy(update={"total_images": 2**40}),
            label_spec(palette, config),
            batches=images.batches,
            preview=images.preview(1),
            outputs=_Nowhere(),
            should_stop=is_enough,
        )
    steps = np.diff(times[NUM_WARMUP_STEPS:])
    seconds = fastest_step(steps, period) if device.type == "cpu" else steps.mean()
    return config.train.batch_size / float(seconds)


def fastest_step(seconds: np.ndarray, period: int) -> float:
    """Of steps that are alike but for one in `period`, which does more: the mean over a period of the least
    that each of its steps took.

    float [N] -> s; steps after the last whole period do not count.
    """
    whole = len(seconds) // period * period
    return float(seconds[:whole].reshape(-1, period).min(0).mean())


@contextmanager
def _threads(num: int) -> Iterator[None]:
    """Compute on so many torch threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(num)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Nowhere:
    """Outputs of a run that are not kept."""

    def newest_checkpoint(self, device: torch.device) -> None:
        return None

    def start(self, num_images_seen: int) -> None:
        pass

    def save_checkpoint(self, num_images_seen: int, state: dict) -> None:
        pass

    def save_snapshot(self, num_images_seen: int, candidates: Sequence[Snapshot]) -> None:
        pass

    def save_preview(self, num_images_seen: int, grid: np.ndarray) -> None:
        pass

    def report(self, num_images_seen: int, metrics: dict[str, float]) -> None:
        pass
