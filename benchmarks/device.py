"""Benchmark: generation and training on a GPU, beside the usual PyTorch way.

Without a CUDA device nothing is measured. All peers run on the same device in the same process, with the same
weights and on the same images.
"""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.device_generation import measure_generation
from benchmarks.device_size import FULL, SMOKE, DeviceSize
from benchmarks.materials import PALETTE, made_up_label, made_up_photo, spec_of
from benchmarks.rows import Row
from benchmarks.training_meter import TrainingMeter, forget_peak, peak_mib, wall_clock
from benchmarks.training_step import StepSize, host_batch, peer_beside, step_config
from gan.config import NoiseConfig
from gan.data import HostBatch
from pipeline.config import GenerateConfig, RunConfig, SourcesConfig
from pipeline.images import encode_jpeg, encode_png, write_file
from pipeline.palette import colorize, load_palette
from pipeline.prepare import Prepared, prepare
from pipeline.training_images import TrainingImages

__all__ = ["measure", "rows", "run"]

NO_DEVICE = "no CUDA device"
NO_NOISE = NoiseConfig(amount=0)
PHOTO_QUALITY = 90


def run(smoke: bool = False) -> dict[str, Any]:
    """Measure all on the first CUDA device; "device" is None where there is none."""
    if not torch.cuda.is_available():
        return {"device": None}
    return measure(torch.device("cuda"), smoke=smoke)


def rows(found: dict[str, Any]) -> list[Row]:
    """The figures of goals B7 to B10."""
    values = _values(found) if found["device"] else {}
    goals: tuple[tuple[str, str, str, float | None], ...] = (
        ("B7", "generation, labels to JPEG", "images/s", 3000),
        ("B7", "generation, beside eager PyTorch and PIL", "x", 30),
        ("B7", "generation, of its network's own rate", "%", 45),
        ("B7", "generation, peak memory of the GPU", "MiB", None),
        ("B8", "training, batch of 8", "images/s", 150),
        ("B8", "training, batch of 8, peak memory of the GPU", "MiB", None),
        ("B9", "training, batch of 1", "steps/s", 120),
        ("B9", "training, batch of 1, beside eager PyTorch", "x", 3),
        ("B10", "GPU waits for the disk while it trains", "%", 5),
    )
    note = found["device"] or NO_DEVICE
    return [
        Row(
            id=goal_id,
            what=what,
            value=values.get((goal_id, unit)),
            unit=unit,
            goal=goal,
            is_less_better=goal_id == "B10",
            note=note,
        )
        for goal_id, what, unit, goal in goals
    ]


def _values(found: dict[str, Any]) -> dict[tuple[str, str], float | None]:
    return {
        ("B7", "images/s"): found["generation"]["images_per_second"],
        ("B7", "x"): found["generation"]["ratio"],
        ("B7", "%"): found["generation"]["network_percent"],
        ("B7", "MiB"): found["generation"]["peak_mib"],
        ("B8", "images/s"): found["training"]["images_per_second"],
        ("B8", "MiB"): found["training"]["peak_mib"],
        ("B9", "steps/s"): found["training_alone"]["steps_per_second"],
        ("B9", "x"): found["training_alone"]["ratio"],
        ("B10", "%"): found["training"]["idle_percent"],
    }


def measure(device: torch.device, *, smoke: bool = False) -> dict[str, Any]:
    """Measure all on a device; the answer is fit for JSON.

    Args:
        device: any; figures mean something on a GPU.
        smoke: small sizes, to see that everything works.

    Returns:
        "device"; "generation": rates of both and of the network alone, their "ratio", and "mean_levels", how
        far their pictures are apart on average, of 255; "training": of batches from memory and from disk;
        "training_alone": of one image at a time, beside the peer. "peak_mib" is None but on a GPU.
    """
    size = SMOKE if smoke else FULL
    with tempfile.TemporaryDirectory(prefix="seg2real-bench-") as name:
        folder = Path(name)
        config = _run_config(folder, size, device)
        _write_sources(folder, size)
        palette = config.read_palette()
        prepared = prepare(
            config.sources, palette, cache=folder / "cache.json", quarantine=folder / "quarantine"
        )
        return {
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
            "size": vars(size),
            "generation": measure_generation(config, prepared, folder, size, device),
            "training": _training(config, prepared, size, device),
            "training_alone": _training_alone(size, device),
        }


def _run_config(folder: Path, size: DeviceSize, device: torch.device) -> RunConfig:
    """Labels have no noise, so that the peer draws from the same pixels."""
    return RunConfig(
        name="device",
        palette=PALETTE,
        run_dir=folder / "run",
        output=folder / "out",
        sources=SourcesConfig(labels=(folder / "soccer",), photos=(folder / "soccer",)),
        noise=NO_NOISE,
        train=step_config(_step_size(size, size.train_batch), device, background="generate"),
        generate=GenerateConfig(
            image_format="jpg", batch_size=size.generate_batch, num_workers=size.num_workers
        ),
    )


def _step_size(size: DeviceSize, batch_size: int) -> StepSize:
    return StepSize(
        size.size_px,
        size.width,
        size.num_blocks,
        batch_size,
        num_rounds=size.num_rounds,
        steps_per_round=size.steps_per_round,
    )


def _write_sources(folder: Path, size: DeviceSize) -> None:
    """Labels in their colours as PNG, and photographs of twice their size as JPEG."""
    palette = load_palette(PALETTE)
    for number in range(size.num_labels + size.num_warm_up):
        label = colorize(made_up_label(number, size.size_px), palette)
        write_file(folder / "soccer" / "segTrain" / f"{number:05d}.png", encode_png(label))
    for number in range(size.num_photos):
        photo = encode_jpeg(made_up_photo(number, 2 * size.size_px), PHOTO_QUALITY)
        write_file(folder / "soccer" / "realTrain" / f"{number:05d}.jpg", photo)


def _training(
    config: RunConfig, prepared: Prepared, size: DeviceSize, device: torch.device
) -> dict[str, Any]:
    """Steps with a batch from memory, again and again, and with batches that are read and decoded."""
    host = host_batch(size.size_px, size.train_batch)
    images = TrainingImages(config, config.read_palette(), prepared.train_labels, prepared.train_photos)
    sources: dict[str, Iterator[HostBatch]] = {"memory": iter(lambda: host, None), "disk": images.batches(0)}
    step_seconds = {}
    forget_peak(device)
    for name, batches in sources.items():
        meter = TrainingMeter(batches, size.num_rounds, size.steps_per_round, clock=wall_clock(device))
        meter.run(config.train, spec_of(NO_NOISE), host_batch(size.size_px, 1))
        step_seconds[name] = statistics.median(meter.seconds) / size.steps_per_round
    return {
        "batch_size": size.train_batch,
        "step_seconds": step_seconds,
        "images_per_second": size.train_batch / step_seconds["memory"],
        "peak_mib": peak_mib(device),
        "idle_percent": 100 * (1 - step_seconds["memory"] / step_seconds["disk"]),
    }


def _training_alone(size: DeviceSize, device: torch.device) -> dict[str, Any]:
    found = peer_beside(_step_size(size, 1), device, wall_clock(device))
    rates = {
        way: size.steps_per_round / statistics.median(seconds) for way, seconds in found["seconds"].items()
    }
    return found | {"steps_per_second": rates["own"], "peer_steps_per_second": rates["peer"]}
