"""Histogram matching: one image takes the distribution of another's values."""

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gan.color import hsl_to_rgb, hsv_to_rgb, rgb_to_hsl, rgb_to_hsv
from gan.config import HistogramConfig

__all__ = ["match_domains", "match_histograms"]

_SPACES = {
    "rgb": (lambda image: image, lambda image: image),
    "hsv": (rgb_to_hsv, hsv_to_rgb),
    "hsl": (rgb_to_hsl, hsl_to_rgb),
}


def match_histograms(
    image: Tensor, reference: Tensor, *, space: Literal["rgb", "hsv", "hsl"], ratio: float = 1.0
) -> Tensor:
    """The image with its values, channel by channel, replaced by the reference's values of the same rank.

    Args:
        image: float [N, 3, H, W] in [-1, 1].
        reference: float [N, 3, H, W] in [-1, 1], each image for its own partner.
        space: where channels are matched.
        ratio: share of the matched image in the result; the rest is the image as it was.

    Returns:
        float [N, 3, H, W] in [-1, 1].
    """
    into, back = _SPACES[space]
    values, wanted = into((image + 1) / 2), into((reference + 1) / 2)
    rank = values.flatten(2).argsort(dim=2, stable=True).argsort(2)
    matched = torch.gather(wanted.flatten(2).sort(2).values, 2, rank).view_as(values)
    return ratio * (back(matched).clamp(0, 1) * 2 - 1) + (1 - ratio) * image


def match_domains(
    image_a: Tensor, image_b: Tensor, config: HistogramConfig, *, seed: int
) -> tuple[Tensor, Tensor]:
    """By chance let the images of one domain take the histograms of the other's.

    Args:
        image_a: float [N, 3, H, W] in [-1, 1], renders.
        image_b: float [N, 3, H, W] in [-1, 1], photographs, each the partner of one render.
        config: the chances, and how they are matched.
        seed: decides; the same seed, the same decision for all images.

    Returns:
        Both domains, one of them changed or none.
    """
    chance, direction = np.random.default_rng(seed).random(2)
    if chance >= config.probability:
        return image_a, image_b
    if direction < config.to_b_probability:
        return match_histograms(image_a, image_b, space=config.space, ratio=config.ratio), image_b
    return image_a, match_histograms(image_b, image_a, space=config.space, ratio=config.ratio)
