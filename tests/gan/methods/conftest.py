"""What the tests of methods share: a batch whose mask is 0 on the left half and 1 on the right."""

import pytest
import torch

from gan.conditioning import DomainA
from gan.config import NoiseConfig, TrainConfig
from gan.methods.method import Batch, Method
from gan.methods.registry import build_method


@pytest.fixture
def batch() -> Batch:
    random = torch.Generator().manual_seed(0)
    attention = torch.zeros(2, 1, 16, 24)
    attention[..., 12:] = 1
    image_a = torch.rand(2, 3, 16, 24, generator=random) * 2 - 1
    image_b = torch.rand(2, 3, 16, 24, generator=random) * 2 - 1
    label_map = torch.randint(0, 3, (2, 16, 24), generator=random, dtype=torch.uint8)
    return Batch(image_a, image_a, attention, label_map, image_b, torch.zeros(2, 1, 16, 24), 0)


@pytest.fixture
def method_of():
    """A method of a config, for three classes in RGB and without noise unless said otherwise."""

    def build(config: TrainConfig, *, noise: NoiseConfig | None = None, channels: int = 3) -> Method:
        return build_method(config, DomainA(channels, 3, noise or NoiseConfig(amount=0)))

    return build
