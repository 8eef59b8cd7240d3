"""Benchmark: generation and training on a GPU, beside the usual PyTorch way.

Without a CUDA device nothing is measured. All peers run on the same device in the same process, with the same
weights and on the same images.
"""

import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.materials import PALETTE, made_up_label, made_up_photo, spec_of
from benchmarks.peers import PeerGenerator, copy_weights, peer_generate
from benchmarks.rows import Row
from benchmarks.training_meter import TrainingMeter, wall_clock
from benchmarks.training_step import StepSize, host_batch, peer_beside, step_config
from gan.conditioning import Conditioning
from gan.config import NoiseConfig, TrainConfig
from gan.data import HostBatch
from gan.methods.registry import build_method
from gan.snapshot import Snapshot
from pipeline.config import GenerateConfig, RunConfig, SourcesConfig
from pipeline.generate import Generation, ShardFiles
from pipeline.images import decode_image, encode_jpeg, encode_png, read_image, write_file
from pipeline.palette import colorize, load_palette
from pipeline.prepare import Prepared, prepare
from pipeline.shards import Shard, SnapshotRef, wanted_samples
from pipeline.training_images import TrainingImages

__all__ = ["measure", "rows", "run"]

NO_DEVICE = "no CUDA device"
NO_NOISE = NoiseConfig(amount=0)
PHOTO_QUALITY = 90
NUM_COMPARED = 4


@dataclass(frozen=True)
class _Size:
    size_px: int
    width: int
    num_blocks: int
    num_labels: int
    """Drawn by this project."""
    num_peer_labels: int
    """Drawn by the peer."""
    num_warm_up: int
    """Drawn by each before it counts."""
    num_photos: int
    generate_batch: int
    num_workers: int
    num_rounds: int
    steps_per_round: int
    train_batch: int = 8


FULL = _Size(
    size_px=256,
    width=64,
    num_blocks=9,
    num_labels=4096,
    num_peer_labels=256,
    num_warm_up=128,
    num_photos=512,
    generate_batch=64,
    num_workers=16,
    num_rounds=3,
    steps_per_round=15,
)
"""Training reads each file once: 4 rounds of 15 steps of 8 images."""
SMOKE = _Size(
    size_px=32,
    width=8,
    num_blocks=1,
    num_labels=8,
    num_peer_labels=4,
    num_warm_up=2,
    num_photos=8,
    generate_batch=4,
    num_workers=2,
    num_rounds=1,
    steps_per_round=2,
    train_batch=2,
)


def run(smoke: bool = False) -> dict[str, Any]:
    """Measure all on the first CUDA device; "device" is None where there is none."""
    if not torch.cuda.is_available():
        return {"device": None}
    return measure(torch.device("cuda"), smoke=smoke)


def rows(found: dict[str, Any]) -> list[Row]:
    """The figures of goals B7 to B10."""
    values = _values(found) if found["device"] else {}
    goals: tuple[tuple[str, str, str, float], ...] = (
        ("B7", "generation, labels to JPEG", "images/s", 3000),
        ("B7", "generation, beside eager PyTorch and PIL", "x", 30),
        ("B8", "training, batch of 8", "images/s", 150),
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
            is_less_better=unit == "%",
            note=note,
        )
        for goal_id, what, unit, goal in goals
    ]


def _values(found: dict[str, Any]) -> dict[tuple[str, str], float]:
    return {
        ("B7", "images/s"): found["generation"]["images_per_second"],
        ("B7", "x"): found["generation"]["ratio"],
        ("B8", "images/s"): found["training"]["images_per_second"],
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
        "device"; "generation": rates of both, their "ratio", and "mean_levels", how far their pictures are
        apart on average, of 255; "training": of batches from memory and from disk; "training_alone": of one
        image at a time, beside the peer.
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
            "generation": _generation(config, prepared, folder, size, device),
            "training": _training(config, prepared, size, device),
            "training_alone": _training_alone(size, device),
        }


def _run_config(folder: Path, size: _Size, device: torch.device) -> RunConfig:
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


def _step_size(size: _Size, batch_size: int) -> StepSize:
    return StepSize(
        size.size_px,
        size.width,
        size.num_blocks,
        batch_size,
        num_rounds=size.num_rounds,
        steps_per_round=size.steps_per_round,
    )


def _write_sources(folder: Path, size: _Size) -> None:
    """Labels in their colours as PNG, and photographs of twice their size as JPEG."""
    palette = load_palette(PALETTE)
    for number in range(size.num_labels + size.num_warm_up):
        label = colorize(made_up_label(number, size.size_px), palette)
        write_file(folder / "soccer" / "segTrain" / f"{number:05d}.png", encode_png(label))
    for number in range(size.num_photos):
        photo = encode_jpeg(made_up_photo(number, 2 * size.size_px), PHOTO_QUALITY)
        write_file(folder / "soccer" / "realTrain" / f"{number:05d}.jpg", photo)


def _generation(
    config: RunConfig, prepared: Prepared, folder: Path, size: _Size, device: torch.device
) -> dict[str, Any]:
    """From label files to picture files, by this project and by the peer, of the same weights."""
    generators = build_method(config.train, _domain(config.train)).generators
    peer = PeerGenerator(size.width, size.num_blocks).to(device).eval()
    copy_weights(generators["ab"], peer)
    snapshot = folder / "snapshot.safetensors"
    snapshot.write_bytes(Snapshot.of(generators, spec_of(NO_NOISE), config.train, 0).to_bytes())
    done, own_seconds = _draw(config, prepared, SnapshotRef.of(snapshot), size, device)

    labels = [prepared.label_paths[sample.source_sha256] for sample in done.samples]
    peer_folder, clock = folder / "peer", wall_clock(device)
    peer_folder.mkdir()
    peer_generate(peer, labels[-size.num_warm_up :], peer_folder, device)
    start = clock()
    peer_generate(peer, labels[: size.num_peer_labels], peer_folder, device)
    peer_seconds = clock() - start
    rate, peer_rate = len(labels) / own_seconds, size.num_peer_labels / peer_seconds
    pairs = [
        (config.output / sample.image_file_name, peer_folder / f"{label.stem}.png")
        for sample, label in zip(done.samples[:NUM_COMPARED], labels, strict=False)
    ]
    return {
        "num_images": len(labels),
        "images_per_second": rate,
        "peer_images_per_second": peer_rate,
        "ratio": rate / peer_rate,
        "mean_levels": statistics.mean(_mean_levels(*pair, config.generate.jpeg_quality) for pair in pairs),
    }


def _draw(
    config: RunConfig, prepared: Prepared, snapshot: SnapshotRef, size: _Size, device: torch.device
) -> tuple[Shard, float]:
    """The shard that counts, finished, and the seconds that it took."""
    samples = tuple(wanted_samples(config, config.read_palette(), prepared.records, snapshot))
    shards = Shard(0, samples[: size.num_warm_up]), Shard(1, samples[size.num_warm_up :])
    generation, clock = Generation(config, snapshot), wall_clock(device)
    start, done = clock(), shards[0]
    for shard in shards:
        start = clock()
        done = generation.run(shard, ShardFiles.of(shard, prepared), lambda: None)
    return done, clock() - start


def _mean_levels(own: Path, peers: Path, quality: int) -> float:
    """How far a picture of this project is from one of the peer's, once that has been a JPEG too."""
    jpeg = encode_jpeg(read_image(peers), quality)
    apart = read_image(own).astype(int) - decode_image(jpeg, peers)
    return float(np.abs(apart).mean())


def _training(config: RunConfig, prepared: Prepared, size: _Size, device: torch.device) -> dict[str, Any]:
    """Steps with a batch from memory, again and again, and with batches that are read and decoded."""
    host = host_batch(size.size_px, size.train_batch)
    images = TrainingImages(config, config.read_palette(), prepared.train_labels, prepared.train_photos)
    sources: dict[str, Iterator[HostBatch]] = {"memory": iter(lambda: host, None), "disk": images.batches(0)}
    step_seconds = {}
    for name, batches in sources.items():
        meter = TrainingMeter(batches, size.num_rounds, size.steps_per_round, clock=wall_clock(device))
        meter.run(config.train, spec_of(NO_NOISE), host_batch(size.size_px, 1))
        step_seconds[name] = statistics.median(meter.seconds) / size.steps_per_round
    return {
        "batch_size": size.train_batch,
        "step_seconds": step_seconds,
        "images_per_second": size.train_batch / step_seconds["memory"],
        "idle_percent": 100 * (1 - step_seconds["memory"] / step_seconds["disk"]),
    }


def _training_alone(size: _Size, device: torch.device) -> dict[str, Any]:
    found = peer_beside(_step_size(size, 1), device, wall_clock(device))
    rates = {
        way: size.steps_per_round / statistics.median(seconds) for way, seconds in found["seconds"].items()
    }
    return found | {"steps_per_second": rates["own"], "peer_steps_per_second": rates["peer"]}


def _domain(config: TrainConfig) -> Any:
    return Conditioning(spec_of(NO_NOISE), config.conditioning).domain
