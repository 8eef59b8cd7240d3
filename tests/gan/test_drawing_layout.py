"""Networks laid out for drawing on a CPU draw what they drew before."""

import copy

import pytest
import torch
from torch import nn

from gan.config import GeneratorConfig
from gan.drawing_layout import lay_out_for_cpu
from gan.generators import ResnetGenerator


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    network = ResnetGenerator(GeneratorConfig(width=8, num_blocks=2, skip_connection=True), 3, 3)
    for weight in network.parameters():
        nn.init.normal_(weight, 0.0, 0.2)
    return network.eval().requires_grad_(False)


@pytest.mark.parametrize("size", [(32, 48), (128, 160)])  # the norms of small maps, of large ones, and both
def test_it_draws_the_same_within_a_level(network: nn.Module, size: tuple[int, int]) -> None:
    laid_out = copy.deepcopy(network)
    lay_out_for_cpu(laid_out)
    images = torch.rand(2, 3, *size) * 2 - 1
    before, after = network(images), laid_out(images)
    assert before.std() > 0.1  # it draws something
    assert (before - after).abs().max() * 127.5 < 1
    assert not any(isinstance(module, nn.InstanceNorm2d) for module in laid_out.modules())
    assert any(isinstance(module, nn.InstanceNorm2d) for module in network.modules())


def test_the_layout_reaches_the_output_and_no_weight_has_changed(network: nn.Module) -> None:
    weights = copy.deepcopy(network.state_dict())
    lay_out_for_cpu(network)
    assert all(torch.equal(weight, weights[name]) for name, weight in network.state_dict().items())
    kernels = [weight for weight in network.parameters() if weight.ndim == 4]
    assert all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)


def test_other_networks_stay_as_they_are() -> None:
    other = nn.Sequential(nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4))
    lay_out_for_cpu(other)
    assert isinstance(other[1], nn.InstanceNorm2d)
    assert not other[0].weight.is_contiguous(memory_format=torch.channels_last)
