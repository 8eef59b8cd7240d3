import pytest
import torch
import torch.nn.functional as F

from gan.config import GeneratorConfig
from gan.discriminators import PatchDiscriminator
from gan.generators import ResnetGenerator
from gan.instance_norm import InstanceNorm

LAYOUTS = (torch.contiguous_format, torch.channels_last)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("num", [1, 3])
def test_values_and_gradients_do_not_depend_on_the_layout(num: int, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    image, weight = torch.randn(num, 8, 12, 10).to(dtype), torch.randn(num, 8, 12, 10).to(dtype)
    seen = image.double().requires_grad_()
    wanted = F.instance_norm(seen)
    wanted.backward(weight.double())
    tolerance = {"rtol": 0, "atol": 1e-5 if dtype == torch.float32 else 0.03}
    for layout in LAYOUTS:
        for gradient_layout in LAYOUTS:
            x = image.clone().contiguous(memory_format=layout).requires_grad_()
            normed = InstanceNorm(8)(x)
            normed.backward(weight.contiguous(memory_format=gradient_layout))
            torch.testing.assert_close(normed.double(), wanted, **tolerance)
            torch.testing.assert_close(x.grad.double(), seen.grad, **tolerance)


NETWORKS = [
    ResnetGenerator(GeneratorConfig(width=4, num_blocks=2, upsampling=upsampling, skip_connection=skip), 3, 3)
    for upsampling, skip in (("resize", True), ("resize", False), ("transposed", False))
]


@pytest.mark.parametrize("network", [*NETWORKS, PatchDiscriminator(4, 3, 3)])
def test_one_image_teaches_a_network_what_two_of_it_do(network: torch.nn.Module) -> None:
    """The gradient of the mean over a batch is that of its image, where all of them are the same."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.1)
    image = torch.randn(1, 3, 48, 64)
    found = []
    for num in (1, 2):
        loss = network(image.repeat(num, 1, 1, 1)).square().mean()
        found.append(torch.autograd.grad(loss, list(network.parameters())))
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-5)
