"""Noise on images of domain A where no label is at hand: on the generator's own segmentation images, and on
renders.

Shapes: N batch, C channels, H height, W width.
"""

import torch
from torch import Tensor

from gan.config import NoiseConfig

__all__ = ["noise_onehot", "noise_rgb"]

CHROMATIC_SATURATION = 0.25
LIT_VALUE = 0.25


def noise_rgb(image: Tensor, level: Tensor, noise: NoiseConfig) -> Tensor:
    """Saturation noise: c' = V - (V - c) * S' / S with S' = clip(S + d, 0, 1), as `pipeline.preprocess` has
    it for labels.

    A label's colour has a hue or has none, and is black or is not; a drawn one can be anything between. So
    the noise passes smoothly from hue to grey below CHROMATIC_SATURATION, and fades out below LIT_VALUE.
    Differentiable in `image`.

    Args:
        image: float [N, 3, H, W] in [-1, 1].
        level: float [N, 1, H, W] in [-1, 1]; d = amount * level.
        noise: the noise of the labels.

    Returns:
        float [N, 3, H, W] in [-1, 1].
    """
    color = (image + 1) / 2
    value = color.amax(1, keepdim=True)
    saturation = (value - color.amin(1, keepdim=True)) / value.clamp(min=1e-3)
    chromatic = (saturation / CHROMATIC_SATURATION).clamp(max=1)
    d = noise.amount * level * (value / LIT_VALUE).clamp(max=1)

    # What has a hue moves in saturation; what has none, as the labels' grey and white do.
    moved = (saturation + d).clamp(0, 1) - saturation
    factor = 1 + chromatic * moved / saturation.clamp(min=CHROMATIC_SATURATION)
    noised = value - (value - color) * factor
    if noise.achromatic == "value":
        noised = noised + (1 - chromatic) * ((value + d).clamp(0, 1) - value)
    elif noise.achromatic == "hsv":
        tint = value * d.clamp(min=0) * (1 - chromatic)
        noised = torch.cat([noised[:, :1], noised[:, 1:] - tint], 1)
    return noised.clamp(0, 1) * 2 - 1


def noise_onehot(image: Tensor, level: Tensor, noise: NoiseConfig) -> Tensor:
    """Lower every channel towards -1 by the share amount * |level|: float [N, K, H, W] in [-1, 1], same shape
    and range.

    Of a label's one-hot image this lowers the hot channel alone.
    """
    return (image + 1) * (1 - noise.amount * level.abs()) - 1
