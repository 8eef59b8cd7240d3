"""Images on their way between the host and the device: uint8 arrays there, floats in [-1, 1] here.

Shapes: N batch, C channels, H height, W width.
"""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["HostBatch", "from_uint8", "pad_to_multiple", "to_uint8"]

SMALLEST_PX = 16


class HostBatch(NamedTuple):
    """Images as they come from the files; labels and photographs are pairs with `train.paired` only."""

    label_map: np.ndarray
    """uint8 [N, H, W] of class ids."""
    photo: np.ndarray
    """uint8 [N, H, W, 3] RGB."""
    render: np.ndarray | None = None
    """uint8 [N, H, W, 3] RGB, of the labels' own scenes; None where labels are drawn from."""


def pad_to_multiple(image: Tensor, multiple: int) -> Tensor:
    """Repeat the right and lower edge of [N, C, H, W] until both sides are multiples, and large enough for
    networks that divide them by `multiple`: at the coarsest scale instance norm needs more than one pixel."""
    height, width = image.shape[-2:]
    smallest = max(SMALLEST_PX, 2 * multiple)
    wanted = [max(smallest, -(-size // multiple) * multiple) for size in (height, width)]
    if wanted == [height, width]:
        return image  # F.pad would copy it
    return F.pad(image, (0, wanted[1] - width, 0, wanted[0] - height), mode="replicate")


def from_uint8(image: Tensor) -> Tensor:
    """uint8 [N, H, W, C] -> float [N, C, H, W] in [-1, 1]."""
    return image.permute(0, 3, 1, 2).float() / 127.5 - 1


def to_uint8(image: Tensor) -> Tensor:
    """float [N, C, H, W] in [-1, 1] -> uint8 [N, H, W, C]."""
    levels = (image + 1).mul_(127.5).round_().clamp_(0, 255)
    return levels.to(torch.uint8).permute(0, 2, 3, 1).contiguous()
