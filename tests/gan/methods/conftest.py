"""What the tests of methods share: a batch whose mask is 0 on the left half and 1 on the right, and networks
without weights whose answers can be told by hand."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

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


@pytest.fixture
def onehot(batch):
    """The batch with so many channels for its three classes instead of colours."""

    def channels_of(num_channels: int = 3) -> Batch:
        hot = F.one_hot(batch.label_map.long(), num_channels).permute(0, 3, 1, 2)
        image_a = hot.float() * 2 - 1
        return batch._replace(image_a=image_a, clean_a=image_a)

    return channels_of


@pytest.fixture
def detached():
    """Fakes as the pool hands them on: without the graph that drew them."""
    return lambda fakes: {name: fake.detach().clone() for name, fake in fakes.items()}


class PlainDiscriminator(nn.Module):
    """A discriminator without weights: the logit of a pixel is its mean over channels. It remembers what it
    was shown, and whether it should normalize."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Tensor] = []
        self.normalizes: list[bool] = []

    def forward(self, image: Tensor, *, normalize: bool = True) -> list[Tensor]:
        self.shown.append(image)
        self.normalizes.append(normalize)
        return [image.mean(1, keepdim=True)]


@pytest.fixture
def plain_discriminators():
    """Put a `PlainDiscriminator` in the place of each discriminator of a method; the new ones, by domain."""

    def replace(method: Method) -> tuple[PlainDiscriminator, ...]:
        discriminators = {name: PlainDiscriminator() for name in method.discriminators}
        method.discriminators = nn.ModuleDict(discriminators)
        return tuple(discriminators.values())

    return replace


class Attends(nn.Module):
    """Attention without weights: one value for each half of the image; remembers what it was asked."""

    def __init__(self, left: float, right: float):
        super().__init__()
        self.left, self.right = left, right
        self.asked: list[Tensor] = []

    def forward(self, image: Tensor) -> Tensor:
        self.asked.append(image)
        attention = torch.full_like(image[:, :1], self.left)
        attention[..., 12:] = self.right
        return attention


@pytest.fixture
def attending():
    """Put an `Attends` in the place of both attention networks of a method; the new networks."""

    def replace(method: Method, *, a: tuple[float, float], b: tuple[float, float]) -> tuple[Attends, Attends]:
        networks = Attends(*a), Attends(*b)
        method.generators.update({"attention_a": networks[0], "attention_b": networks[1]})
        return networks

    return replace
