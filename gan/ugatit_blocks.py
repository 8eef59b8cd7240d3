"""The parts that UGATIT's generator is made of (arXiv 1907.10830, section 3.1.1 and appendix, table 4).

Shapes: N batch, C channels, H height, W width, h/w feature grid.
"""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from gan.adaptive_norm import AdaLIN
from gan.convolutions import ReflectedConv
from gan.instance_norm import InstanceNorm
from gan.layers import SqueezeExcitation

__all__ = ["AdaptiveResidualBlock", "GammaBeta", "PlainResidualBlock"]


class AdaptiveResidualBlock(nn.Module):
    """Two reflection-padded 3x3 convolutions with AdaLIN around an identity; squeeze and excitation, where
    wanted, stands before the second."""

    def __init__(self, channels: int, *, squeeze_excitation: bool):
        super().__init__()
        self.conv_in = ReflectedConv(channels, channels, 3, bias=False)
        self.norm_in = AdaLIN(channels)
        self.excite = SqueezeExcitation(channels) if squeeze_excitation else nn.Identity()
        self.conv_out = ReflectedConv(channels, channels, 3, bias=False)
        self.norm_out = AdaLIN(channels)

    def forward(self, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        """x [N, C, h, w], gamma and beta [N, C] -> [N, C, h, w]."""
        inner = self.excite(F.relu(self.norm_in(self.conv_in(x), gamma, beta)))
        return x + self.norm_out(self.conv_out(inner), gamma, beta)


class PlainResidualBlock(nn.Module):
    """The same with instance norm."""

    def __init__(self, channels: int, *, squeeze_excitation: bool):
        super().__init__()
        self.conv_in = ReflectedConv(channels, channels, 3, bias=False)
        self.excite = SqueezeExcitation(channels) if squeeze_excitation else nn.Identity()
        self.conv_out = ReflectedConv(channels, channels, 3, bias=False)
        self.norm = InstanceNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, h, w] -> [N, C, h, w]."""
        inner = self.excite(F.relu(self.norm(self.conv_in(x))))
        return x + self.norm(self.conv_out(inner))


class GammaBeta(nn.Module):
    """Reads AdaLIN's gamma and beta off the feature map.

    Args:
        channels: of the features.
        grid: height and width of the feature map that is read whole; None = its mean is read, of any size.
    """

    def __init__(self, channels: int, grid: Sequence[int] | None):
        super().__init__()
        self.reads_whole_map = grid is not None
        num_read = channels * grid[0] * grid[1] if grid is not None else channels
        self.hidden = nn.Sequential(
            nn.Linear(num_read, channels, bias=False),
            nn.ReLU(inplace=True),
            nn.Linear(channels, channels, bias=False),
            nn.ReLU(inplace=True),
        )
        self.gamma = nn.Linear(channels, channels, bias=False)
        self.beta = nn.Linear(channels, channels, bias=False)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """[N, C, h, w] -> gamma and beta [N, C]."""
        read = features.flatten(1) if self.reads_whole_map else features.mean((2, 3))
        hidden = self.hidden(read)
        return self.gamma(hidden), self.beta(hidden)
