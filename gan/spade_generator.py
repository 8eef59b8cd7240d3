"""A generator that is told the label at every scale (SPADE, Park et al. 2019, arXiv 1903.07291).

Shapes: N batch, C channels, H height, W width.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from gan.config import GeneratorConfig
from gan.convolutions import HeadConv, ReflectedConv
from gan.instance_norm import InstanceNorm

__all__ = ["SpadeGenerator"]

MAX_WIDENING = 8
MODULATION_WIDENING = 2


class SpadeGenerator(nn.Module):
    """Draws from coarse to fine; each normalisation is modulated by the label at its scale, so that a class
    is never washed out by normalisation as it is on the way through a deep encoder (section 3.1).

    The noise that makes variants comes in with the conditioning image. Height and width of the input must be
    multiples of `size_multiple`.
    """

    def __init__(self, config: GeneratorConfig, in_channels: int, out_channels: int):
        super().__init__()
        levels = config.num_downsamplings
        self.size_multiple = 2**levels
        widths = [config.width * min(2**level, MAX_WIDENING) for level in range(levels, -1, -1)]
        hidden = config.width * MODULATION_WIDENING
        self.stem = ReflectedConv(in_channels, widths[0], 3)
        self.blocks = nn.ModuleList(
            _SpadeBlock(widths[0], widths[0], in_channels, hidden) for _ in range(config.num_blocks)
        )
        self.ups = nn.ModuleList(
            _SpadeBlock(wide, narrow, in_channels, hidden)
            for wide, narrow in zip(widths, widths[1:], strict=False)
        )
        self.head = HeadConv(widths[-1], out_channels, 3)

    def forward(self, image: Tensor) -> Tensor:
        """float [N, Cin, H, W] in [-1, 1] -> float32 [N, Cout, H, W] in [-1, 1]."""
        x = self.stem(F.interpolate(image, scale_factor=1 / self.size_multiple, mode="nearest"))
        for block in self.blocks:
            x = block(x, image)
        for up in self.ups:
            x = up(F.interpolate(x, scale_factor=2, mode="nearest"), image)
        return self.head(F.leaky_relu(x, 0.2)).float().tanh()


class _Spade(nn.Module):
    """Instance norm whose scale and shift are drawn from the label, pixel by pixel (equation 1)."""

    def __init__(self, channels: int, label_channels: int, hidden: int):
        super().__init__()
        self.norm = InstanceNorm(channels)
        self.shared = ReflectedConv(label_channels, hidden, 3)
        self.scale = ReflectedConv(hidden, channels, 3)
        self.shift = ReflectedConv(hidden, channels, 3)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """[N, C, h, w], [N, K, h, w] -> [N, C, h, w]."""
        hidden = F.relu(self.shared(label))
        return self.norm(x) * (1 + self.scale(hidden)) + self.shift(hidden)


class _SpadeBlock(nn.Module):
    """Residual block with modulated normalisations (figure 4)."""

    def __init__(self, in_channels: int, out_channels: int, label_channels: int, hidden: int):
        super().__init__()
        middle = min(in_channels, out_channels)
        self.norm_in = _Spade(in_channels, label_channels, hidden)
        self.conv_in = ReflectedConv(in_channels, middle, 3)
        self.norm_out = _Spade(middle, label_channels, hidden)
        self.conv_out = ReflectedConv(middle, out_channels, 3)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1) if in_channels != out_channels else None

    def forward(self, x: Tensor, image: Tensor) -> Tensor:
        """[N, Cin, h, w] -> [N, Cout, h, w], told by `image` [N, K, H, W]."""
        label = F.interpolate(image, x.shape[-2:], mode="nearest")
        inner = self.conv_in(F.leaky_relu(self.norm_in(x, label), 0.2))
        inner = self.conv_out(F.leaky_relu(self.norm_out(inner, label), 0.2))
        return inner + (x if self.shortcut is None else self.shortcut(x))
