"""Normalisations that learn how much of each channel's own statistics to forget (UGATIT, arXiv 1907.10830,
section 3.1.2): instance norm erases them, layer norm keeps how channels compare, and rho mixes the two.

Shapes: N batch, C channels, H height, W width.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.instance_norm import instance_norm

__all__ = ["AdaLIN", "LIN", "clip_rho", "set_variance"]

Variance = Literal["population", "sample"]
EPSILON = 1e-5


class AdaLIN(nn.Module):
    """gamma * (rho * IN(x) + (1 - rho) * LN(x)) + beta, with gamma and beta given per image (eq. 1).

    Rho starts near instance norm, as the residual blocks of the paper do.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.variance: Variance = "population"
        self.rho = nn.Parameter(torch.full((1, channels, 1, 1), 0.9))

    def forward(self, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        """x [N, C, H, W], gamma and beta [N, C] -> [N, C, H, W]."""
        return gamma[:, :, None, None] * _mixed_norm(x, self.rho, self.variance) + beta[:, :, None, None]


class LIN(nn.Module):
    """The same with learned gamma and beta; rho starts at layer norm."""

    def __init__(self, channels: int):
        super().__init__()
        self.variance: Variance = "population"
        self.rho = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.gamma = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        return self.gamma * _mixed_norm(x, self.rho, self.variance) + self.beta


@torch.no_grad()
def clip_rho(network: nn.Module) -> None:
    """Bring every rho of a network back into [0, 1]; wanted after each optimiser step (eq. 1)."""
    for module in network.modules():
        if isinstance(module, AdaLIN | LIN):
            module.rho.clamp_(0, 1)


def set_variance(network: nn.Module, variance: Variance) -> None:
    """Let every AdaLIN and LIN of a network divide by "population" = the mean of squared deviations, or
    "sample" = their sum over their number less 1."""
    for module in network.modules():
        if isinstance(module, AdaLIN | LIN):
            module.variance = variance


def _mixed_norm(x: Tensor, rho: Tensor, variance: Variance) -> Tensor:
    """rho = 1: each channel by its own mean and deviation; rho = 0: all channels by those of all."""
    channel_share, image_share = _share(x[0, 0], variance), _share(x[0], variance)
    by_channel = instance_norm(x, EPSILON * channel_share)
    by_image = F.group_norm(x, 1, eps=EPSILON * image_share)
    return rho * channel_share**0.5 * by_channel + (1 - rho) * image_share**0.5 * by_image


def _share(values: Tensor, variance: Variance) -> float:
    """The population's variance as a share of the wanted one: (n - 1) / n for the sample's."""
    return 1 - 1 / values.numel() if variance == "sample" else 1.0
