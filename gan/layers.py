"""Building blocks that several networks share.

Shapes: N batch, C channels, H height, W width.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = [
    "HeadConv",
    "ResidualBlock",
    "SqueezeExcitation",
    "UpsampleConv",
    "conv_norm_relu",
    "init_weights",
]

CPU_BLOCK = 16
"""Channels that a CPU's convolution computes at once, however few are wanted."""


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
    return nn.Sequential(
        nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding=kernel_size // 2,
            padding_mode=padding_mode,
        ),
        nn.InstanceNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


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
        self.conv_in = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect")
        self.conv_out = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect")
        self.norm = nn.InstanceNorm2d(channels)
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
            self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, padding_mode="reflect")
        self.norm = nn.InstanceNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """[N, Cin, H, W] -> [N, Cout, 2H, 2W]."""
        if not self.transposed:
            if x.device.type == "cpu":  # resizing bfloat16 takes a fifth of the time in that layout
                x = x.contiguous(memory_format=torch.channels_last)
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return F.relu(self.norm(self.conv(x)))


class HeadConv(nn.Conv2d):
    """The reflection-padded convolution that ends a network in the few channels of an image.

    On a CPU each row of the kernel makes channels of its own, in one convolution, and these are then added up
    row by row: the same sums in another order. Of 3 channels a CPU would otherwise compute 16 and drop 13; a
    7x7 kernel makes 21, and is three times as fast.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, *, bias: bool = True):
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            padding=kernel_size // 2,
            padding_mode="reflect",
            bias=bias,
        )

    def forward(self, x: Tensor) -> Tensor:
        """[N, Cin, H, W] -> [N, Cout, H, W]."""
        if x.device.type != "cpu" or self.out_channels >= CPU_BLOCK:
            return super().forward(x)
        height, num_rows = x.shape[2], self.kernel_size[0]
        padded = F.pad(x, (num_rows // 2,) * 4, mode="reflect")
        weight = self.weight.permute(2, 0, 1, 3).flatten(0, 1).unsqueeze(2)
        bias = None if self.bias is None else F.pad(self.bias, (0, len(weight) - self.out_channels))
        by_row = F.conv2d(padded, weight, bias).unflatten(1, (num_rows, -1))
        return torch.stack([by_row[:, row, :, row : row + height] for row in range(num_rows)]).sum(0)


def init_weights(network: nn.Module, deviation: float, generator: torch.Generator) -> None:
    """Draw the weights of convolutions and linear layers from N(0, deviation) and zero their biases (0.02 in
    arXiv 1703.10593, section 4)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, deviation, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
