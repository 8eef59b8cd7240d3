import copy

import torch
from torch import nn

from gan.config import DiscriminatorConfig
from gan.discriminators import MultiScaleDiscriminator
from gan.spectral import add_spectral_norm


def normalised() -> MultiScaleDiscriminator:
    torch.manual_seed(0)
    network = MultiScaleDiscriminator(DiscriminatorConfig(width=4, num_layers=1), 3)
    add_spectral_norm(network)
    return network


def test_the_largest_singular_value_is_one() -> None:
    network, image = normalised(), torch.randn(1, 3, 16, 16)
    for _ in range(50):
        network(image)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            largest = torch.linalg.svdvals(module.weight.detach().flatten(1))[0]
            assert 0.97 < largest < 1.03


def test_a_second_call_adds_nothing() -> None:
    network = normalised()
    before = set(network.state_dict())
    add_spectral_norm(network)
    assert set(network.state_dict()) == before


def test_a_copy_goes_on_as_the_original_does() -> None:
    network, image = normalised(), torch.randn(1, 3, 16, 16)
    network(image)
    other = copy.deepcopy(normalised())
    other.load_state_dict(network.state_dict())
    for one, two in zip(network(image), other(image), strict=True):
        assert torch.equal(one, two)


def test_half_precision_does_not_reach_the_estimate() -> None:
    one, two, image = normalised(), normalised(), torch.randn(1, 3, 16, 16)
    one(image)
    with torch.autocast("cpu", torch.bfloat16):
        two(image)
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, two.state_dict()[name])
