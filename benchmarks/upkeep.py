"""Benchmark: what a training run spends on checkpoints, and on giving the same bits again.

Training is that of the default config, on the device that it finds; checkpoints are written as a run writes
them, down to the disk.
"""

import statistics
import tempfile
from pathlib import Path
from typing import Any

import torch

from benchmarks.materials import PALETTE, spec_of
from benchmarks.rows import Row
from benchmarks.training_meter import TrainingMeter, wall_clock
from benchmarks.training_step import SMOKE, host_batch, step_config
from gan.config import NoiseConfig, TrainConfig
from gan.device import resolve_device
from pipeline.config import RunConfig
from pipeline.run_dir import RunDir, newest_checkpoint

__all__ = ["rows", "run"]

NUM_SAVES = 3
WANTED_SHARE = 0.02
NUM_STEPS_ON_GPU = 20
NUM_STEPS_TWICE = 3


def run(smoke: bool = False) -> dict[str, Any]:
    """Measure all, wall time; the answer is fit for JSON.

    Args:
        smoke: small networks and images.

    Returns:
        "images_per_second"; "save_seconds" of each checkpoint, and its "checkpoint_mib"; "is_read_back", that
        the file holds what was saved; "share_percent", of the time between two checkpoints;
        "images_per_second_at_most", the rate up to which that share is within its goal; "same_bits_twice",
        that two runs of the same seed end with the same weights.
    """
    device = resolve_device("auto")
    config = step_config(SMOKE, device) if smoke else TrainConfig(device=str(device))
    every_images = TrainConfig().checkpoint_every_images
    num_steps = NUM_STEPS_ON_GPU if device.type == "cuda" else 1
    meter = _train(config, device, num_steps)
    rate = config.batch_size * num_steps / statistics.median(meter.seconds)
    with tempfile.TemporaryDirectory(prefix="seg2real-bench-") as folder:
        saved = _save(meter.checkpoint, config, Path(folder), device)
    seconds = statistics.median(saved["save_seconds"])
    return {
        "device": device.type,
        "checkpoint_every_images": every_images,
        "images_per_second": rate,
        **saved,
        "share_percent": 100 * seconds * rate / every_images,
        "images_per_second_at_most": WANTED_SHARE * every_images / seconds,
        "same_bits_twice": _same_bits_twice(device),
    }


def rows(found: dict[str, Any]) -> list[Row]:
    """The figures of goal B14."""
    again = "had" if found["same_bits_twice"] else "did not have"
    return [
        Row(
            id="B14",
            what="checkpoints, of the time between two",
            value=found["share_percent"],
            unit="%",
            goal=100 * WANTED_SHARE,
            is_less_better=True,
            note=f"{found['images_per_second']:.3g} images/s on this {found['device']}",
        ),
        Row(
            id="B14",
            what="training up to which checkpoints take 2 %",
            value=found["images_per_second_at_most"],
            unit="images/s",
            note=f"{found['checkpoint_mib']:.0f} MiB each",
        ),
        Row(
            id="B14",
            what="deterministic training, slower by",
            value=None,
            unit="%",
            goal=15,
            is_less_better=True,
            note=f"there is one way to train; two runs {again} the same bits on this {found['device']}",
        ),
    ]


def _train(config: TrainConfig, device: torch.device, steps_per_round: int) -> TrainingMeter:
    batch = host_batch(config.height, config.batch_size)
    meter = TrainingMeter(
        iter(lambda: batch, None),
        num_rounds=1,
        steps_per_round=steps_per_round,
        num_first_rounds=1 if device.type == "cuda" else 0,
        clock=wall_clock(device),
    )
    return meter.run(config, spec_of(NoiseConfig()), host_batch(config.height, 1))


def _save(state: dict[str, Any], config: TrainConfig, folder: Path, device: torch.device) -> dict[str, Any]:
    run_config = RunConfig(
        name="upkeep", palette=PALETTE, run_dir=folder / "run", output=folder / "out", train=config
    )
    seconds, clock = [], wall_clock(device)
    with RunDir.open(run_config, progress=lambda *done, **note: None) as run_dir:
        for number in range(NUM_SAVES):
            start = clock()
            run_dir.save_checkpoint(number, state)
            seconds.append(clock() - start)
    (path, *_) = (folder / "run" / "checkpoints").glob("*.pt")
    found = newest_checkpoint(folder / "run", device)
    return {
        "save_seconds": seconds,
        "checkpoint_mib": path.stat().st_size / 2**20,
        "is_read_back": found is not None and _have_same_bits(found["method"], state["method"]),
    }


def _same_bits_twice(device: torch.device) -> bool:
    """Small networks, trained twice from the same seed."""
    one, other = (_train(step_config(SMOKE, device), device, NUM_STEPS_TWICE).checkpoint for _ in range(2))
    return _have_same_bits(one["method"], other["method"])


def _have_same_bits(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
