"""Benchmark: a training step with attention masks, beside the usual PyTorch way.

The steps of this project are those of `gan.training_loop.train` itself, which is handed a batch and asked
whether to stop; before each of its rounds the peer takes as many steps, from equal weights and on the same
images. Read ratios.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.generator import NO_BF16, generator_config
from benchmarks.materials import made_up_label, made_up_photo, spec_of
from benchmarks.peers import CYCLE_WEIGHT, IDENTITY_WEIGHT, PeerTraining, copy_weights
from benchmarks.rows import Row
from benchmarks.timing import median_ratio, one_thread
from benchmarks.training_meter import TrainingMeter
from gan.conditioning import Conditioning, LabelSpec
from gan.config import DiscriminatorConfig, NoiseConfig, TrainConfig
from gan.data import HostBatch, from_uint8
from gan.device import computes_in_bf16
from gan.methods.registry import build_method

__all__ = [
    "SMOKE",
    "StepSize",
    "host_batch",
    "peer_beside",
    "rows",
    "run",
    "step_config",
]

NEVER = 10**9
PEER, OWN = "peer", "own"


@dataclass(frozen=True)
class StepSize:
    """What is trained, and how often."""

    size_px: int
    width: int
    """Channels of each network's first convolution."""
    num_blocks: int
    batch_size: int = 1
    num_rounds: int = 3
    """After a first one that does not count."""
    steps_per_round: int = 1


FULL = StepSize(size_px=256, width=64, num_blocks=9)
SMOKE = StepSize(size_px=32, width=8, num_blocks=1)


def run(smoke: bool = False) -> dict[str, Any]:
    """Measure on one thread of the CPU; the answer is fit for JSON.

    Returns:
        "seconds" of both in each round, CPU time; "ratio" of the peer's to this project's; "losses" of the
        generators by step, and "loss_percent", how far the first ones are apart.
    """
    with one_thread():
        return peer_beside(SMOKE if smoke else FULL, torch.device("cpu"), time.process_time)


def rows(found: dict[str, Any]) -> list[Row]:
    """The figures of goal B4."""
    has_bf16, what = found["computes_in_bf16"], "training step {}, beside eager PyTorch"
    made = [
        Row(
            id="B4",
            what=what.format("bf16"),
            value=found["ratio"] if has_bf16 else None,
            unit="x",
            goal=2.0,
            note="" if has_bf16 else NO_BF16,
        ),
        Row(
            id="B4",
            what="first loss, apart from eager PyTorch's",
            value=found["loss_percent"],
            unit="%",
            goal=0.5,
            is_less_better=True,
        ),
    ]
    if not has_bf16:
        made.append(Row(id="B4", what=what.format("fp32"), value=found["ratio"], unit="x"))
    return made


def step_config(size: StepSize, device: torch.device, **settings: Any) -> TrainConfig:
    """Networks as the peers have them, label masks as NUgan has them, and nothing but steps.

    Args:
        size: of images, networks and batches.
        device: where it trains.
        settings: of `TrainConfig`, in place of these.
    """
    wanted: dict[str, Any] = {
        "method": "attention_cyclegan",
        "background": "keep",
        "width": size.size_px,
        "height": size.size_px,
        "batch_size": size.batch_size,
        "generator": generator_config(size.width, size.num_blocks),
        "discriminator": DiscriminatorConfig(width=size.width),
        "total_images": NEVER,
        "report_every_images": size.batch_size * size.steps_per_round,
        "preview_every_images": NEVER,
        "snapshot_every_images": NEVER,
        "checkpoint_every_images": NEVER,
        "num_preview": 1,
        "device": str(device),
    }
    return TrainConfig.model_validate(wanted | settings)


def host_batch(size_px: int, batch_size: int) -> HostBatch:
    """Made-up labels and photographs."""
    return HostBatch(
        np.stack([made_up_label(number, size_px) for number in range(batch_size)]),
        np.stack([made_up_photo(number, size_px) for number in range(batch_size)]),
    )


def peer_beside(size: StepSize, device: torch.device, clock: Callable[[], float]) -> dict[str, Any]:
    """Rounds of the peer's steps and of this project's in turn, on a device; as `run` has it."""
    config, spec = step_config(size, device), spec_of(NoiseConfig(amount=0))
    host = host_batch(size.size_px, size.batch_size)
    peer = _equal_peer(config, spec, size, device)
    images = _on_device(host, config, spec, device)
    peer_seconds: list[float] = []
    peer_losses: list[float] = []

    def take_peer_steps() -> None:
        start = clock()
        losses = [peer.step(*images)[0] for _ in range(size.steps_per_round)]
        peer_seconds.append(clock() - start)
        peer_losses.append(torch.stack(losses).mean().item())

    meter = TrainingMeter(
        iter(lambda: host, None),
        size.num_rounds,
        size.steps_per_round,
        before_round=take_peer_steps,
        clock=clock,
    ).run(config, spec, host_batch(size.size_px, 1))
    seconds = {PEER: peer_seconds[1:], OWN: meter.seconds}
    losses = {PEER: peer_losses, OWN: [_wanted(metrics) for metrics in meter.metrics]}
    return {
        "size": vars(size),
        "computes_in_bf16": computes_in_bf16(device),
        "seconds": seconds,
        "ratio": median_ratio(seconds, PEER, OWN),
        "losses": losses,
        "loss_percent": 100 * abs(losses[OWN][0] / losses[PEER][0] - 1),
    }


def _equal_peer(config: TrainConfig, spec: LabelSpec, size: StepSize, device: torch.device) -> PeerTraining:
    """A peer with the weights that the training loop will start from."""
    method = build_method(config, Conditioning(spec, config.conditioning).domain)
    peer = PeerTraining(size.width, size.num_blocks, device)
    for source, target in (
        (method.generators["ab"], peer.ab),
        (method.generators["ba"], peer.ba),
        (method.discriminators["a"], peer.judge_a),
        (method.discriminators["b"], peer.judge_b),
    ):
        copy_weights(source, target)
    return peer


def _on_device(
    host: HostBatch, config: TrainConfig, spec: LabelSpec, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What the peer's step takes."""
    label_map, photo = (torch.from_numpy(image).to(device) for image in (host.label_map, host.photo))
    conditioning = Conditioning(spec, config.conditioning).to(device)
    conditioned = conditioning(label_map, torch.zeros_like(label_map))
    return conditioned.clean_a, from_uint8(photo).contiguous(), conditioned.attention_a


def _wanted(metrics: dict[str, float]) -> float:
    """The generators' loss, of its terms."""
    weights = {"adversarial": 1.0, "cycle": CYCLE_WEIGHT, "identity": IDENTITY_WEIGHT}
    return sum(weight * metrics[f"{term}_{domain}"] for term, weight in weights.items() for domain in "ab")
