"""Noise on images of domain A where no label is at hand: on the generator's own segmentation images, and on
renders.

Shapes: N batch, C channels, H height, W width.
"""

import torch
from torch import Tensor

from gan.config import NoiseConfig

__all__ = ["noise_onehot", "noise_rgb"]

CHROMATIC_SATURATION = 0.25  # from here on a colour has a hue; below, the noise passes over to brightness


def noise_rgb(image: Tensor, level: Tensor, noise: NoiseConfig) -> Tensor:
    """Saturation noise: c' = V - (V - c) * S' / S with S' = clip(S + d, 0, 1), as `pipeline.preprocess` has
    it for labels.

    A label's colour has a hue or has none; a drawn one can be anything between, so the noise passes smoothly
    from saturation to brightness where saturation falls below CHROMATIC_SATURATION. Differentiable in
    `image`.

    Args:
        image: float [N, 3, H, W] in [-1, 1].
        level: float [N, 1, H, W] in [-1, 1]; d = amount * level.
        noise: the noise of the labels.

    Returns:
        float [N, 3, H, W] in [-1, 1].
    """
    color = (image + 1) / 2
    d = noise.amount * level
    value = color.amax(1, keepdim=True)
    saturation = (value - color.amin(1, keepdim=True)) / value.clamp(min=1e-3)
    moved = (saturation + d).clamp(0, 1) - saturation
    factor = 1 + moved / saturation.clamp(min=CHROMATIC_SATURATION)
    chromatic = (saturation / CHROMATIC_SATURATION).clamp(max=1)

    # Between grey and a hue, each kind of noise has its share.
    noised = value - (value - color) * torch.lerp(torch.ones_like(factor), factor, chromatic)
    if noise.achromatic == "value":
        brightness = ((value + d).clamp(0, 1) - value) * (value > 0)
        noised = noised + (1 - chromatic) * brightness
    return noised.clamp(0, 1) * 2 - 1


def noise_onehot(image: Tensor, level: Tensor, noise: NoiseConfig) -> Tensor:
    """Lower every channel towards -1 by the share amount * |level|: float [N, K, H, W] in [-1, 1], same shape
    and range.

    Of a label's one-hot image this lowers the hot channel alone.
    """
    return (image + 1) * (1 - noise.amount * level.abs()) - 1
