import pytest
import torch
from torch import nn

from gan.convolutions import HeadConv, ReflectedConv


def in_values_and_gradients(network: nn.Module, image: torch.Tensor) -> list[torch.Tensor]:
    seen = image.clone().requires_grad_()
    drawn = network(seen)
    return [drawn, *torch.autograd.grad(drawn.square().sum(), (seen, *network.parameters()))]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    ("out_channels", "kernel_size", "bias"), [(3, 7, True), (1, 7, False), (9, 3, True), (27, 7, True)]
)
def test_a_head_is_an_ordinary_convolution(out_channels, kernel_size, bias, layout) -> None:
    """In values and in gradients, with the weights of one by name and shape."""
    torch.manual_seed(0)
    padding = kernel_size // 2
    ordinary = nn.Conv2d(6, out_channels, kernel_size, padding=padding, padding_mode="reflect", bias=bias)
    head = HeadConv(6, out_channels, kernel_size, bias=bias)
    head.load_state_dict(ordinary.state_dict())
    image = torch.randn(2, 6, 9, 14).contiguous(memory_format=layout)
    found, wanted = (in_values_and_gradients(network, image) for network in (head, ordinary))
    assert wanted[0].std() > 0.1
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("kernel_size", "stride"), [(3, 1), (3, 2), (4, 2), (4, 1), (7, 1)])
def test_it_reflects_at_the_edges(kernel_size: int, stride: int) -> None:
    torch.manual_seed(0)
    padding = (kernel_size - 1) // 2
    ordinary = nn.Conv2d(3, 5, kernel_size, stride, padding=padding, padding_mode="reflect")
    reflected = ReflectedConv(3, 5, kernel_size, stride)
    reflected.load_state_dict(ordinary.state_dict())
    image = torch.randn(2, 3, 12, 16)
    torch.testing.assert_close(
        in_values_and_gradients(reflected, image), in_values_and_gradients(ordinary, image), rtol=0, atol=0
    )


def test_autocast_leaves_the_padding_in_bfloat16() -> None:
    image = torch.randn(1, 3, 8, 8).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        assert ReflectedConv(3, 5, 3).padded(image).dtype == torch.bfloat16
