"""Photographs with blurred edges, which a discriminator should not take for photographs."""

import torch
import torch.nn.functional as F
from torch import Tensor

from gan.attention import composite

__all__ = ["blur_edges"]

EDGE_STRENGTH = 0.25
"""Brightness step per px, of the range [-1, 1], from which a pixel lies on an edge."""
REACH_PX = 2
"""How far around an edge is blurred."""
BLUR_PX = 1.5
"""Standard deviation of the blur."""


def blur_edges(image: Tensor) -> Tensor:
    """The image, smoothed around its edges only (CartoonGAN, CVPR 2018, section 3.2.1).

    Args:
        image: float [N, 3, H, W] in [-1, 1].

    Returns:
        float [N, 3, H, W] in [-1, 1].
    """
    near_edge = F.max_pool2d(_edges(image), 2 * REACH_PX + 1, 1, padding=REACH_PX)
    return composite(_blur(image), image, near_edge)


def _edges(image: Tensor) -> Tensor:
    """[N, C, H, W] -> [N, 1, H, W], 1 where the brightness changes steeply."""
    brightness = F.pad(image.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    across = (brightness[..., 1:-1, 2:] - brightness[..., 1:-1, :-2]) / 2
    down = (brightness[..., 2:, 1:-1] - brightness[..., :-2, 1:-1]) / 2
    return (torch.hypot(across, down) > EDGE_STRENGTH).to(image.dtype)


def _blur(image: Tensor) -> Tensor:
    """Gaussian blur, separable."""
    reach = int(3 * BLUR_PX)
    offsets = torch.arange(-reach, reach + 1, device=image.device, dtype=image.dtype)
    weights = torch.exp(-0.5 * (offsets / BLUR_PX) ** 2)
    weights = (weights / weights.sum()).expand(image.shape[1], 1, -1)
    padded = F.pad(image, (reach, reach, reach, reach), mode="replicate")
    blurred = F.conv2d(padded, weights.unsqueeze(2), groups=image.shape[1])
    return F.conv2d(blurred, weights.unsqueeze(3), groups=image.shape[1])
