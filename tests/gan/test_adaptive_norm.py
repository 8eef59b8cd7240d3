import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gan.adaptive_norm import LIN, AdaLIN, clip_rho, set_variance


def features() -> torch.Tensor:
    scale = torch.tensor([1.0, 3.0, 10.0])[:, None, None]
    return torch.randn(2, 3, 8, 6, generator=torch.Generator().manual_seed(0)) * scale + scale


@pytest.mark.parametrize("norm", [AdaLIN(3), LIN(3)])
@pytest.mark.parametrize("rho", [0.0, 0.25, 1.0])
def test_rho_mixes_instance_and_layer_norm(norm, rho) -> None:
    x = features()
    nn.init.constant_(norm.rho, rho)
    style = (torch.ones(2, 3), torch.zeros(2, 3)) if isinstance(norm, AdaLIN) else ()
    mixed = rho * F.instance_norm(x) + (1 - rho) * F.layer_norm(x, x.shape[1:])
    torch.testing.assert_close(norm(x, *style), mixed)


@pytest.mark.parametrize(("rho", "dims"), [(1.0, [2, 3]), (0.0, [1, 2, 3])])
def test_the_samples_variance_is_over_one_less(rho, dims) -> None:
    x, norm = 1e-2 * features(), nn.Sequential(LIN(3))
    nn.init.constant_(norm[0].rho, rho)
    set_variance(norm, "sample")
    expected = (x - x.mean(dims, keepdim=True)) / (x.var(dims, keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(norm(x), expected)
    set_variance(norm, "population")
    assert not torch.allclose(norm(x), expected, rtol=1e-4)


def test_gamma_and_beta_are_each_images_own() -> None:
    x, norm = features(), AdaLIN(3)
    gamma, beta = torch.randn(2, 3), torch.randn(2, 3)
    plain = norm(x, torch.ones(2, 3), torch.zeros(2, 3))
    for image in range(2):
        expected = gamma[image, :, None, None] * plain[image] + beta[image, :, None, None]
        torch.testing.assert_close(norm(x, gamma, beta)[image], expected)


def test_gamma_and_beta_of_the_decoder_are_learned() -> None:
    x, norm = features(), LIN(3)
    plain = norm(x)
    nn.init.constant_(norm.gamma, 2.0)
    nn.init.constant_(norm.beta, 3.0)
    torch.testing.assert_close(norm(x), 2 * plain + 3)


def test_residual_blocks_start_near_instance_norm_and_the_decoder_at_layer_norm() -> None:
    assert (AdaLIN(3).rho == 0.9).all()
    assert (LIN(3).rho == 0).all()


def test_rho_comes_back_into_its_range_and_nothing_else_moves() -> None:
    network = nn.Sequential(LIN(2), nn.ModuleList([AdaLIN(2)]))
    lin, adaptive = network[0], network[1][0]
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.tensor([-0.5, 1.5])[None, :, None, None])
    clip_rho(network)
    for norm in (lin, adaptive):
        assert norm.rho.flatten().tolist() == [0, 1]
    assert lin.gamma.flatten().tolist() == [-0.5, 1.5]
