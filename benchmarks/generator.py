"""Benchmark: a generator draws one picture on one thread of a CPU, beside the usual PyTorch way.

Both have the same weights. The peer's generator is given the finished image; the translator's way starts at
the label map and so has its lookup to do too. All ways run in turn in one process: read ratios.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.materials import made_up_label, spec_of
from benchmarks.peers import PeerGenerator, copy_weights, to_pixels
from benchmarks.rows import Row
from benchmarks.timing import median_ratio, one_thread, seconds_in_turn
from gan.conditioning import Conditioning
from gan.config import GeneratorConfig, NoiseConfig, TrainConfig
from gan.device import computes_in_bf16
from gan.methods.registry import build_generators
from gan.snapshot import Snapshot
from gan.translator import Translator

__all__ = ["generator_config", "rows", "run"]

NO_BF16 = "this CPU has no bfloat16 arithmetic"
NUM_CONVS = 4
PEER, FP32, BF16, CHANNELS_LAST = "peer", "own fp32", "own bf16", "channels_last"
CONVOLUTIONS = {torch.float32: "convolution fp32", torch.bfloat16: "convolution bf16"}


@dataclass(frozen=True)
class _Size:
    size_px: int
    width: int
    num_blocks: int
    num_rounds: int


FULL = _Size(size_px=256, width=64, num_blocks=9, num_rounds=7)
SMOKE = _Size(size_px=32, width=8, num_blocks=2, num_rounds=2)


def run(smoke: bool = False) -> dict[str, Any]:
    """Measure all; the answer is fit for JSON.

    Returns:
        "seconds" of each way in each round, CPU time; "ratios" of the peer's to each of this project's;
        "gflop" of a forward pass; "limit_gflops", the best rate of a convolution alone, and "limit_percent",
        how much of its rate a generator reaches; "num_levels", how far pictures are from the peer's, of 255.
    """
    with one_thread():
        return _measured(SMOKE if smoke else FULL)


def rows(found: dict[str, Any]) -> list[Row]:
    """The figures of goal B3."""
    ratios, without = found["ratios"], "" if found["computes_in_bf16"] else NO_BF16
    return [
        Row(id="B3", what="generator fp32, beside eager PyTorch", value=ratios[FP32], unit="x", goal=1.25),
        Row(
            id="B3",
            what="generator bf16, beside eager PyTorch",
            value=ratios.get(BF16),
            unit="x",
            goal=2.4,
            note=without,
        ),
        Row(
            id="B3",
            what="picture fp32, apart from eager PyTorch's",
            value=found["num_levels"][FP32],
            unit="levels",
            goal=1,
            is_less_better=True,
        ),
        Row(
            id="B3",
            what="the peer's in channels_last with group norms",
            value=ratios[CHANNELS_LAST],
            unit="x",
            note="what PyTorch alone offers",
        ),
        *(
            Row(id="B3", what=f"generator {way}, of a convolution's rate", value=percent, unit="%")
            for way, percent in found["limit_percent"].items()
        ),
    ]


def generator_config(width: int, num_blocks: int) -> GeneratorConfig:
    """The peers' generator as this project names it."""
    return GeneratorConfig(
        width=width, num_blocks=num_blocks, upsampling="transposed", downsampling_padding="zeros"
    )


def _measured(size: _Size) -> dict[str, Any]:
    device = torch.device("cpu")
    has_bf16 = computes_in_bf16(device)
    peer, snapshot = _equal_networks(size)
    precisions = {FP32: "fp32"} | ({BF16: "bf16"} if has_bf16 else {})
    translators = {
        way: Translator(snapshot, device="cpu", precision=precision) for way, precision in precisions.items()
    }
    label_map = made_up_label(0, size.size_px)[None]
    noise = np.random.default_rng(0).integers(0, 256, label_map.shape, dtype=np.uint8)
    image = _conditioned(translators[FP32], label_map, noise)

    last, image_last = _channels_last(peer), image.contiguous(memory_format=torch.channels_last)
    ways = {PEER: lambda: _draw(peer, image), CHANNELS_LAST: lambda: _draw(last, image_last)} | {
        way: lambda translator=translator: translator.translate(label_map, noise)[0]
        for way, translator in translators.items()
    }
    pictures = {way: draw().astype(int) for way, draw in ways.items()}
    types = [torch.float32, *([torch.bfloat16] if has_bf16 else [])]
    convolutions = {CONVOLUTIONS[dtype]: _convolution(size, dtype) for dtype in types}
    seconds = seconds_in_turn(ways | convolutions, size.num_rounds, time.process_time)
    gflop, conv_gflop = _gflop(peer, image), _conv_gflop(size)
    return {
        "size": vars(size),
        "computes_in_bf16": has_bf16,
        "seconds": seconds,
        "ratios": {way: median_ratio(seconds, PEER, way) for way in ways if way != PEER},
        "gflop": gflop,
        "limit_gflops": {way: conv_gflop / min(seconds[way]) for way in convolutions},
        "limit_percent": {
            way: 100 * gflop / conv_gflop * median_ratio(seconds, _limit_of(way), way) for way in ways
        },
        "num_levels": {way: int(abs(pictures[way] - pictures[PEER]).max()) for way in ways if way != PEER},
    }


def _equal_networks(size: _Size) -> tuple[PeerGenerator, Snapshot]:
    """A peer's generator with random weights and biases, and a snapshot that draws with the same ones."""
    torch.manual_seed(0)
    peer = PeerGenerator(size.width, size.num_blocks).eval()
    for weight in peer.parameters():
        nn.init.normal_(weight, 0.0, 0.02)
    train = TrainConfig(
        width=size.size_px,
        height=size.size_px,
        device="cpu",
        generator=generator_config(size.width, size.num_blocks),
    )
    spec = spec_of(NoiseConfig())
    generators = build_generators(train, Conditioning(spec, train.conditioning).domain)
    copy_weights(peer, generators["ab"])
    return peer, Snapshot.of(generators, spec, train, 0)


def _conditioned(translator: Translator, label_map: np.ndarray, noise: np.ndarray) -> Tensor:
    """What the networks are given: float [1, 3, H, W] in [-1, 1]."""
    return translator.conditioning(torch.from_numpy(label_map), torch.from_numpy(noise)).image_a


@torch.no_grad()
def _draw(network: nn.Module, image: Tensor) -> np.ndarray:
    return to_pixels(network(image))


def _channels_last(peer: PeerGenerator) -> nn.Module:
    """The same network in channels_last, each instance norm as a group norm with a group for each channel."""
    network = copy.deepcopy(peer)
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.InstanceNorm2d):
                channels = child.num_features
                setattr(module, name, nn.GroupNorm(channels, channels, affine=False))
    return network.to(memory_format=torch.channels_last)


def _limit_of(way: str) -> str:
    return CONVOLUTIONS[torch.bfloat16 if way == BF16 else torch.float32]


def _convolution(size: _Size, dtype: torch.dtype) -> Callable[[], None]:
    """Calls of the 3x3 convolution that most of a generator is made of."""
    channels, side = size.width * 4, size.size_px // 4
    layer = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
    layer = layer.to(dtype=dtype, memory_format=torch.channels_last)
    image = torch.randn(1, channels, side, side, dtype=dtype).contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def convolve() -> None:
        for _ in range(NUM_CONVS):
            layer(image)

    return convolve


def _conv_gflop(size: _Size) -> float:
    """Of these calls; a multiplication and an addition are 2."""
    return NUM_CONVS * 2 * 9 * (size.width * 4) ** 2 * (size.size_px // 4) ** 2 / 1e9


@torch.no_grad()
def _gflop(network: nn.Module, image: Tensor) -> float:
    with FlopCounterMode(display=False) as counter:
        network(image)
    return counter.get_total_flops() / 1e9
