"""Histogram matching: one image takes the distribution of another's values."""

from typing import Literal

import torch
from torch import Tensor

from gan.color import hsl_to_rgb, hsv_to_rgb, rgb_to_hsl, rgb_to_hsv

__all__ = ["match_histograms"]

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
