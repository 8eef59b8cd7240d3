"""Convolutions that reflect images at their edges, as CycleGAN has them (arXiv 1703.10593, appendix 7.2).

Shapes: N batch, C channels, H height, W width.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["HeadConv", "ReflectedConv"]

CPU_BLOCK = 16
"""Channels that a CPU's convolution computes at once, however few are wanted."""


class ReflectedConv(nn.Conv2d):
    """[N, Cin, H, W] -> [N, Cout, H / stride, W / stride]; with an even kernel and stride 1 a pixel less."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, *, bias: bool = True
    ):
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding=(kernel_size - 1) // 2,
            padding_mode="reflect",
            bias=bias,
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(self.padded(x), self.weight, self.bias, self.stride)

    def padded(self, x: Tensor) -> Tensor:
        """In the type that it has: autocast would turn bfloat16 into float32 for this, and back."""
        with torch.autocast(x.device.type, enabled=False):
            return F.pad(x, self.padding * 2, mode="reflect")


class HeadConv(ReflectedConv):
    """The convolution that ends a network in the few channels of an image.

    On a CPU each row of the kernel makes channels of its own, in one convolution, and these are then added up
    row by row: the same sums in another order. Of 3 channels a CPU would otherwise compute 16 and drop 13; a
    7x7 kernel makes 21, and is three times as fast.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, *, bias: bool = True):
        super().__init__(in_channels, out_channels, kernel_size, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu" or self.out_channels >= CPU_BLOCK:
            return super().forward(x)
        height, num_rows = x.shape[2], self.kernel_size[0]
        weight = self.weight.permute(2, 0, 1, 3).flatten(0, 1).unsqueeze(2)
        bias = None if self.bias is None else F.pad(self.bias, (0, len(weight) - self.out_channels))
        by_row = F.conv2d(self.padded(x), weight, bias).unflatten(1, (num_rows, -1))
        return torch.stack([by_row[:, row, :, row : row + height] for row in range(num_rows)]).sum(0)
