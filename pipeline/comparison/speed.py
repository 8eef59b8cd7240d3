"""How fast a run trains on this machine."""

import time
from collections.abc import Sequence

import numpy as np
import torch

from gan.snapshot import Snapshot
from gan.training_loop import train
from pipeline.config import RunConfig
from pipeline.prepare import Prepared
from pipeline.training import label_spec
from pipeline.training_images import TrainingImages

__all__ = ["images_per_second"]

NUM_WARMUP_STEPS = 3
MIN_STEPS = 8
MIN_SECONDS = 10.0


def images_per_second(config: RunConfig, prepared: Prepared) -> float:
    """Images per second of the run's first steps; nothing is kept of them."""
    palette = config.read_palette()
    images = TrainingImages(config, palette, *prepared.train_images)
    times: list[float] = []

    def is_enough() -> bool:
        if config.train.device != "cpu" and torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter())
        measured = times[NUM_WARMUP_STEPS:]
        return len(measured) > MIN_STEPS and measured[-1] - measured[0] >= MIN_SECONDS

    train(
        config.train.model_copy(update={"total_images": 2**40}),
        label_spec(palette, config),
        batches=images.batches,
        preview=images.preview(1),
        outputs=_Nowhere(),
        should_stop=is_enough,
    )
    measured = times[NUM_WARMUP_STEPS:]
    return (len(measured) - 1) * config.train.batch_size / (measured[-1] - measured[0])


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
