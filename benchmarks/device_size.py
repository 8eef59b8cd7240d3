"""How much the benchmark of a GPU draws and trains."""

from dataclasses import dataclass

__all__ = ["FULL", "SMOKE", "DeviceSize"]


@dataclass(frozen=True)
class DeviceSize:
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


FULL = DeviceSize(
    size_px=256,
    width=64,
    num_blocks=9,
    num_labels=4095,
    num_peer_labels=255,
    num_warm_up=128,
    num_photos=512,
    generate_batch=64,
    num_workers=16,
    num_rounds=3,
    steps_per_round=15,
)
"""Training reads each file once: 4 rounds of 15 steps of 8 images."""
SMOKE = DeviceSize(
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
