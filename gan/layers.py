"""Building blocks that several networks share.

Shapes: N batch, C channels, H height, W width.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.convolutions import ReflectedConv
from gan.instance_norm import InstanceNorm

__all__ = [
    "ResidualBlock",
    "SqueezeExcitation",
    "UpsampleConv",
    "conv_norm_relu",
    "init_weights",
]


def conv_norm_relu(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    *,
    stride: int = 1,
    padding_mode: Literal["reflect", "zeros"] = "reflect",
) -> nn.Sequential:
    """Padded convolution, instance norm without affine, ReLU.

    [N, Cin, H, W] -> [N, Cout, H / stride, W / stride].
    """
    if padding_mode == "reflect":
        conv = ReflectedConv(in_channels, out_channels, kernel_size, stride)
    else:
        conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2)
    return nn.Sequential(conv, InstanceNorm(out_channels), nn.ReLU(inplace=True))


class SqueezeExcitation(nn.Module):
    """Concurrent spatial and channel squeeze and excitation, scSE (arXiv 1803.02579, section 2).

    Features times a gate per channel, made from their mean over pixels, plus features times a gate per pixel,
    made from all channels. With weights near 0 each gate is 1/2, and the sum is the features themselves.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.channel_squeeze = nn.Linear(channels, channels // 2)
        self.channel_gate = nn.Linear(channels // 2, channels)
        self.pixel_gate = nn.Conv2d(channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        by_channel = self.channel_gate(F.relu(self.channel_squeeze(x.mean((2, 3))))).sigmoid()
        by_pixel = self.pixel_gate(x).sigmoid()
        return x * by_channel[..., None, None] + x * by_pixel


class ResidualBlock(nn.Module):
    """Two reflection-padded 3x3 convolutions around an identity (arXiv 1703.10593, appendix 7.2).

    Squeeze and excitation, where wanted, stands before the second convolution: after an instance norm every
    channel's mean is 0, and before one every channel's gate is divided out again.
    """

    def __init__(self, channels: int, *, squeeze_excitation: bool = False):
        super().__init__()
        self.conv_in = ReflectedConv(channels, channels, 3)
        self.conv_out = ReflectedConv(channels, channels, 3)
        self.norm = InstanceNorm(channels)
        self.excite = SqueezeExcitation(channels) if squeeze_excitation else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        inner = self.excite(F.relu(self.norm(self.conv_in(x))))
        return x + self.norm(self.conv_out(inner))


class UpsampleConv(nn.Module):
    """Doubles height and width: bilinear resize and 3x3 convolution, or a transposed convolution."""

    def __init__(self, in_channels: int, out_channels: int, *, transposed: bool):
        super().__init__()
        self.transposed = transposed
        if transposed:
            self.conv = nn.ConvTranspose2d(in_channels, out_channels, 3, 2, padding=1, output_padding=1)
        else:
            self.conv = ReflectedConv(in_channels, out_channels, 3)
        self.norm = InstanceNorm(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """[N, Cin, H, W] -> [N, Cout, 2H, 2W]."""
        if not self.transposed:
            if x.device.type == "cpu":  # resizing bfloat16 takes a fifth of the time in that layout
                x = x.contiguous(memory_format=torch.channels_last)
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return F.relu(self.norm(self.conv(x)))


def init_weights(network: nn.Module, deviation: float, generator: torch.Generator) -> None:
    """Draw the weights of convolutions and linear layers from N(0, deviation) and zero their biases (0.02 in
    arXiv 1703.10593, section 4)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, deviation, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
