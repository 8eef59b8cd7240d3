"""The part of the GPU's benchmark that draws: label files to picture files, beside the usual PyTorch way."""

import statistics
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.device_size import DeviceSize
from benchmarks.materials import spec_of
from benchmarks.peers import PeerGenerator, copy_weights, peer_generate
from benchmarks.training_meter import forget_peak, peak_mib, wall_clock
from gan.conditioning import Conditioning
from gan.device import autocast
from gan.methods.registry import build_method
from gan.snapshot import Snapshot
from manifests.schema import SampleRecord
from pipeline.config import RunConfig
from pipeline.generate import Generation, ShardFiles
from pipeline.images import decode_image, encode_jpeg, read_image
from pipeline.prepare import Prepared
from pipeline.shards import Shard, SnapshotRef, wanted_samples
from pipeline.staging import StagedShard

__all__ = ["measure_generation"]

NUM_COMPARED = 4


def measure_generation(
    config: RunConfig, prepared: Prepared, folder: Path, size: DeviceSize, device: torch.device
) -> dict[str, Any]:
    """From label files to picture files, by this project and by the peer, of the same weights."""
    labels = spec_of(config.noise)
    generators = build_method(config.train, Conditioning(labels, config.train.conditioning).domain).generators
    peer = PeerGenerator(size.width, size.num_blocks).to(device).eval()
    copy_weights(generators["ab"], peer)
    snapshot = folder / "snapshot.safetensors"
    snapshot.write_bytes(Snapshot.of(generators, labels, config.train, 0).to_bytes())
    samples = tuple(wanted_samples(config, config.read_palette(), prepared.records, SnapshotRef.of(snapshot)))
    generation = Generation(config, SnapshotRef.of(snapshot))
    peer_folder = folder / "peer"
    peer_folder.mkdir()

    def draw(number: int, some: tuple[SampleRecord, ...]) -> StagedShard:
        shard = Shard(number, some)
        return generation.run(shard, ShardFiles.of(shard, prepared), lambda: None)

    def draw_as_peer(some: tuple[SampleRecord, ...]) -> None:
        peer_generate(peer, [prepared.label_paths[one.source_sha256] for one in some], peer_folder, device)

    warm_up, samples = samples[: size.num_warm_up], samples[size.num_warm_up :]
    draw(0, warm_up)
    draw_as_peer(warm_up)
    clock, finished, rates, peer_rates, peaks = wall_clock(device), [], [], [], []
    for number, some in enumerate(_parts(samples, size.num_rounds)):
        of_peer = some[: size.num_peer_labels // size.num_rounds]
        forget_peak(device)
        start = clock()
        drawn = draw(1 + number, some)
        rates.append(len(some) / (clock() - start))
        finished += drawn.records()
        peaks.append(peak_mib(device))
        start = clock()
        draw_as_peer(of_peer)
        peer_rates.append(len(of_peer) / (clock() - start))
    alone = _network_rate(generators["ab"], config, size, device)
    compared = [one for one in finished if _peers(peer_folder, prepared, one).exists()][:NUM_COMPARED]
    rate = statistics.median(rates)
    return {
        "num_images": len(finished),
        "images_per_second": rate,
        "peer_images_per_second": statistics.median(peer_rates),
        "ratio": statistics.median(own / other for own, other in zip(rates, peer_rates, strict=True)),
        "network_images_per_second": alone,
        "network_percent": 100 * rate / alone,
        "peak_mib": peaks[-1],
        "mean_levels": statistics.mean(
            _mean_levels(
                config.output / one.image_file_name,
                _peers(peer_folder, prepared, one),
                config.generate.jpeg_quality,
            )
            for one in compared
        ),
    }


def _parts(samples: tuple[SampleRecord, ...], num: int) -> list[tuple[SampleRecord, ...]]:
    """As many neighbours in each part as in the others."""
    each = len(samples) // num
    return [samples[start : start + each] for start in range(0, num * each, each)]


def _peers(folder: Path, prepared: Prepared, sample: SampleRecord) -> Path:
    """Where the peer's picture lies, if it drew that one."""
    return folder / f"{prepared.label_paths[sample.source_sha256].stem}.png"


def _network_rate(network: nn.Module, config: RunConfig, size: DeviceSize, device: torch.device) -> float:
    """Images/s of the generator alone, on a batch that is there: what a generation reaches at most."""
    batch = torch.zeros(size.generate_batch, 3, size.size_px, size.size_px, device=device)
    network, clock, seconds = network.to(device).eval(), wall_clock(device), []
    with torch.inference_mode(), autocast(device, config.train.precision):
        network(batch)
        for _ in range(size.num_rounds):
            start = clock()
            network(batch)
            seconds.append(clock() - start)
    return size.generate_batch / statistics.median(seconds)


def _mean_levels(own: Path, peers: Path, quality: int) -> float:
    """How far a picture of this project is from one of the peer's, once that has been a JPEG too."""
    jpeg = encode_jpeg(read_image(peers), quality)
    apart = read_image(own).astype(int) - decode_image(jpeg, peers)
    return float(np.abs(apart).mean())
