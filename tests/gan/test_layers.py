import pytest
import torch

from gan.layers import ResidualBlock, SqueezeExcitation, init_weights


@pytest.fixture
def features() -> torch.Tensor:
    return torch.randn(2, 6, 8, 8, generator=torch.Generator().manual_seed(0)).relu()


def zeroed(network: torch.nn.Module) -> torch.nn.Module:
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    return network


def test_squeeze_excitation_without_opinion_changes_nothing(features) -> None:
    torch.testing.assert_close(zeroed(SqueezeExcitation(6))(features), features)


def test_squeeze_excitation_gates_channels_and_pixels(features) -> None:
    excite = zeroed(SqueezeExcitation(6))
    with torch.no_grad():
        excite.channel_gate.bias.copy_(torch.tensor([9.0, -9.0, 0.0, 0.0, 0.0, 0.0]) * 9)
        excite.pixel_gate.bias.fill_(-99.0)
    by_channel = excite(features)
    torch.testing.assert_close(by_channel[:, 0], features[:, 0])
    assert by_channel[:, 1].abs().max() < 1e-6

    excite = zeroed(SqueezeExcitation(6))
    with torch.no_grad():
        excite.channel_gate.bias.fill_(-99.0)
        excite.pixel_gate.weight[0, 3] = 999.0
        excite.pixel_gate.bias.fill_(-99.0)
    by_pixel, is_on = excite(features), features[:, 3:4] > 0.2
    torch.testing.assert_close(by_pixel * is_on, features * is_on)
    is_off = features[:, 3:4] == 0
    assert (by_pixel * is_off).abs().max() < 1e-6


def test_squeeze_excitation_has_the_published_size() -> None:
    squeeze, gate, pixels = 256 * 128 + 128, 128 * 256 + 256, 256 + 1
    assert sum(p.numel() for p in SqueezeExcitation(256).parameters()) == squeeze + gate + pixels


def test_a_residual_block_listens_to_its_gates(features) -> None:
    """Beside an instance norm a gate on channels would be cancelled, or would see a mean of 0."""
    block = ResidualBlock(6, squeeze_excitation=True)
    init_weights(block, 0.2, torch.Generator().manual_seed(1))
    block(features).square().sum().backward()
    gradients = {name: p.grad.abs().max().item() for name, p in block.excite.named_parameters()}
    assert min(gradients.values()) > 1e-4, gradients


def test_a_residual_block_without_gates_has_no_weights_for_them() -> None:
    assert set(ResidualBlock(4).state_dict()) == {
        "conv_in.weight",
        "conv_in.bias",
        "conv_out.weight",
        "conv_out.bias",
    }
