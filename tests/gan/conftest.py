"""What the tests of gan share: three classes, small networks, a run that keeps its outputs in memory."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from gan.conditioning import LabelSpec
from gan.config import DiscriminatorConfig, GeneratorConfig, NoiseConfig, TrainConfig
from gan.data import HostBatch


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def seeded() -> None:
    """What a test draws without a source of its own is the same in every order of tests."""
    torch.manual_seed(0)


@pytest.fixture
def labels() -> LabelSpec:
    """Environment (background), field and line; the noise only darkens the field a little."""
    colors = np.array([[0, 0, 0], [0, 255, 0], [255, 255, 255]], np.uint8)
    table = np.repeat(colors[:, None], 256, axis=1)
    table[1, :, 1] = np.linspace(200, 255, 256).astype(np.uint8)
    return LabelSpec(
        table, np.array([True, False, False]), np.zeros(3, bool), NoiseConfig(amount=0.2), {"name": "test"}
    )


@pytest.fixture
def small_config() -> Callable[..., TrainConfig]:
    def make(**changes: object) -> TrainConfig:
        settings = {
            "width": 24,
            "height": 16,
            "batch_size": 2,
            "total_images": 16,
            "generator": GeneratorConfig(width=4, num_blocks=1),
            "discriminator": DiscriminatorConfig(width=4, num_layers=2),
            "pool_images": 3,
            "report_every_images": 4,
            "snapshot_every_images": 8,
            "checkpoint_every_images": 8,
            "preview_every_images": 8,
        }
        return TrainConfig(**settings | changes)

    return make


def host_batch(number: int, num: int = 2) -> HostBatch:
    random = np.random.default_rng(number)
    return HostBatch(
        random.integers(0, 3, (num, 16, 24), dtype=np.uint8),
        random.integers(0, 256, (num, 16, 24, 3), dtype=np.uint8),
        random.integers(0, 256, (num, 16, 24, 3), dtype=np.uint8),
    )


@pytest.fixture
def batches() -> Callable[[int], Iterator[HostBatch]]:
    def stream(num_images_seen: int) -> Iterator[HostBatch]:
        while True:
            yield host_batch(num_images_seen)
            num_images_seen += 2

    return stream


@pytest.fixture
def preview() -> HostBatch:
    return host_batch(999)


class MemoryOutputs:
    """A run directory without a disk."""

    def __init__(self) -> None:
        self.checkpoint: bytes | None = None
        self.checkpoints: list[int] = []
        self.starts: list[int] = []
        self.snapshots: dict[int, bytes] = {}
        self.raw_snapshots: dict[int, bytes] = {}
        self.previews: dict[int, np.ndarray] = {}
        self.reports: list[tuple[int, dict[str, float]]] = []

    def newest_checkpoint(self, device: torch.device) -> dict | None:
        if self.checkpoint is None:
            return None
        return torch.load(io.BytesIO(self.checkpoint), map_location=device, weights_only=True)

    def start(self, num_images_seen: int) -> None:
        self.starts.append(num_images_seen)

    def save_checkpoint(self, num_images_seen: int, state: dict) -> None:
        file = io.BytesIO()
        torch.save(state, file)
        self.checkpoint = file.getvalue()
        self.checkpoints.append(num_images_seen)

    def save_snapshot(self, num_images_seen: int, candidates) -> None:
        self.snapshots[num_images_seen] = candidates[0].to_bytes()
        self.raw_snapshots[num_images_seen] = candidates[-1].to_bytes()

    def save_preview(self, num_images_seen: int, grid: np.ndarray) -> None:
        self.previews[num_images_seen] = grid

    def report(self, num_images_seen: int, metrics: dict[str, float]) -> None:
        self.reports.append((num_images_seen, metrics))


@pytest.fixture
def outputs() -> Callable[[], MemoryOutputs]:
    return MemoryOutputs


@pytest.fixture(scope="session")
def assert_equal() -> Callable[[Any, Any], None]:
    """Equal bit for bit, all the way down."""

    def check(one: Any, other: Any) -> None:
        if isinstance(one, torch.Tensor):
            assert torch.equal(one, other)
        elif isinstance(one, dict):
            assert one.keys() == other.keys()
            for key in one:
                check(one[key], other[key])
        elif isinstance(one, list):
            for part, counterpart in zip(one, other, strict=True):
                check(part, counterpart)
        else:
            assert one == other

    return check
