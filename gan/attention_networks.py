"""Networks that learn where a translation should happen (Mejjati et al. 2018, arXiv 1806.02311).

Shapes: N batch, C channels, H height, W width.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from gan.convolutions import HeadConv, ReflectedConv
from gan.instance_norm import InstanceNorm

__all__ = ["AttentionNetwork"]


class AttentionNetwork(nn.Module):
    """Encoder, one residual block, bilinear decoder, sigmoid (arXiv 1806.02311).

    Two sizes are in use: width 64, that of the public PyTorch ports, with 602,368 parameters for 3 channels,
    and width 32, the paper's, with 153,728. Convolutions have no biases, as in the ports; instance norm has
    no weights. Heights and widths from 5 px fit.
    """

    def __init__(self, in_channels: int, width: int):
        super().__init__()
        self.to_half = _conv_norm_relu(in_channels, width, 7, stride=2)
        self.to_quarter = _conv_norm_relu(width, 2 * width, 3, stride=2)
        self.residual = nn.Sequential(
            _conv_norm_relu(2 * width, 2 * width, 3),
            ReflectedConv(2 * width, 2 * width, 3, bias=False),
            InstanceNorm(2 * width),
        )
        self.at_half = _conv_norm_relu(2 * width, 2 * width, 3)
        self.at_full = _conv_norm_relu(2 * width, width, 3)
        self.head = HeadConv(width, 1, 7, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        """float [N, C, H, W] in [-1, 1] -> attention float32 [N, 1, H, W] in [0, 1]; 1 = translate."""
        half = self.to_half(image)
        x = self.to_quarter(half)
        x = F.relu(x + self.residual(x))
        x = self.at_half(_resized(x, half))
        x = self.at_full(_resized(x, image))
        return self.head(x).float().sigmoid()


def _conv_norm_relu(
    in_channels: int, out_channels: int, kernel_size: int, *, stride: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        ReflectedConv(in_channels, out_channels, kernel_size, stride, bias=False),
        InstanceNorm(out_channels),
        nn.ReLU(inplace=True),
    )


def _resized(x: Tensor, like: Tensor) -> Tensor:
    """Twice the height and width; less one where `like` is odd."""
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)
