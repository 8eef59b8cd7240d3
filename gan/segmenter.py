"""Segmenter: reads the class of every pixel from an image.

Shapes: N batch, C channels, K classes, H height, W width.
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.data import pad_to_multiple

__all__ = ["Segmenter"]

MAX_WIDENING = 8
"""The deepest levels are no wider than this multiple of the first."""
GROUP_CHANNELS = 8
"""Of a norm's group: fewer would lose what an even area's colour is."""
HEAD_DEVIATION = 0.02


class Segmenter(nn.Module):
    """U-Net (arXiv 1505.04597, figure 1): a way down that sees ever more of the image, and a way up that
    brings what it saw back to the pixels.

    Normalised, resized bilinearly on the way up, and padded so that the logits have the image's size. A size
    that is no multiple of `size_multiple` is padded by its edge pixels and cropped back.

    Args:
        in_channels: C of the images.
        num_classes: K.
        width: channels of the first level; each level doubles them, up to MAX_WIDENING times.
        num_downsamplings: levels below the first.
        norm: "group" = groups of GROUP_CHANNELS channels; "instance" = each channel alone.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        *,
        width: int = 32,
        num_downsamplings: int = 4,
        norm: Literal["group", "instance"] = "group",
    ):
        super().__init__()
        self.size_multiple = 2**num_downsamplings
        widths = [width * min(2**level, MAX_WIDENING) for level in range(num_downsamplings + 1)]
        self.feature_channels = widths[-1]
        self.stem = _two_convs(in_channels, widths[0], norm)
        self.downs = nn.ModuleList(
            _two_convs(above, below, norm) for above, below in zip(widths, widths[1:], strict=False)
        )
        pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.narrows = nn.ModuleList(nn.Conv2d(below, above, 1) for below, above in pairs)
        self.ups = nn.ModuleList(_two_convs(2 * above, above, norm) for _, above in pairs)
        self.head = nn.Conv2d(widths[0], num_classes, 1)

    def draw_weights(self, generator: torch.Generator) -> None:
        """Weights that keep the scale of what passes (arXiv 1502.01852, equation 10), and small ones in the
        head, so that all classes start alike. It learns several times as fast as from N(0, 0.02)."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.normal_(self.head.weight, 0, HEAD_DEVIATION, generator=generator)

    def forward(self, image: Tensor) -> Tensor:
        """float [N, C, H, W] in [-1, 1] -> float32 logits [N, K, H, W]."""
        height, width = image.shape[-2:]
        logits = self.head(self.decode(self.encode(image)))
        return logits[..., :height, :width].float()

    def encode(self, image: Tensor) -> list[Tensor]:
        """[N, C, H, W] -> what each level saw, from fine to coarse; the last is
        [N, feature_channels, H / size_multiple, W / size_multiple]."""
        if image.shape[-2] % self.size_multiple or image.shape[-1] % self.size_multiple:
            image = pad_to_multiple(image, self.size_multiple)
        levels = [self.stem(image)]
        for down in self.downs:
            levels.append(down(F.max_pool2d(levels[-1], 2)))
        return levels

    def decode(self, levels: list[Tensor]) -> Tensor:
        """What each level saw -> [N, width, H, W]."""
        *finer, x = levels
        for narrow, up in zip(self.narrows, self.ups, strict=True):
            x = F.interpolate(narrow(x), scale_factor=2, mode="bilinear", align_corners=False)
            x = up(torch.cat([x, finer.pop()], 1))
        return x


def _two_convs(in_channels: int, out_channels: int, norm: Literal["group", "instance"]) -> nn.Sequential:
    """Two 3x3 convolutions, each with a norm and ReLU: [N, Cin, H, W] -> [N, Cout, H, W]."""
    groups = (
        out_channels if norm == "instance" else math.gcd(out_channels, out_channels // GROUP_CHANNELS or 1)
    )
    layers: list[nn.Module] = []
    for channels in (in_channels, out_channels):
        layers += [
            nn.Conv2d(channels, out_channels, 3, padding=1, bias=False),
            nn.GroupNorm(groups, out_channels),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)
