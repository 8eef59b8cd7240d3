"""Noise on images of domain A where no label is at hand: on the generator's own segmentation images, and on
renders.

Shapes: N batch, C channels, H height, W width.
"""

from functools import lru_cache

import torch
from torch import Tensor

from gan.config import NoiseConfig

__all__ = ["noise_onehot", "noise_rgb"]

CHROMATIC_SATURATION = 0.25
LIT_VALUE = 0.25
NUM_LEVELS = 256
SHARES_SEED = 0


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
    """Take the share d = amount * |level| from every class, and spread half of it, at most half of what is
    left, over all classes: float [N, K, H, W] in [-1, 1], same shape and range.

    How it is spread is random, but fixed for each of the 256 levels. So a label's pixel has a little of every
    class, as a drawn one has, by which a discriminator would tell them; its own class stays the largest.

    Args:
        image: float [N, K, H, W] in [-1, 1], one channel per class.
        level: float [N, 1, H, W] in [-1, 1].
        noise: the noise of the labels.
    """
    taken = noise.amount * level.abs()
    spread = torch.minimum(taken, 1 - taken) / 2
    which = ((level[:, 0] + 1) * (NUM_LEVELS - 1) / 2).round().long()
    by_class = _shares(image.shape[1]).to(image.device)[which].permute(0, 3, 1, 2)
    return ((image + 1) / 2 * (1 - taken) + spread * by_class) * 2 - 1


@lru_cache(maxsize=8)
def _shares(num_classes: int) -> Tensor:
    """For each level, shares of the classes that sum to 1, evenly distributed over all such: float32
    [256, K]."""
    random = torch.Generator().manual_seed(SHARES_SEED)
    shares = torch.empty(NUM_LEVELS, num_classes).exponential_(generator=random)
    return shares / shares.sum(1, keepdim=True)
