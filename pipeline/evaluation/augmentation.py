"""How a judge's training images are varied, so that it reads what it has not seen.

Shapes: N batch, H height, W width.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["jitter_colors", "random_views"]

MAX_ZOOM = 1.3
BRIGHTNESS = 0.25
"""Of the range [-1, 1]: half of this up or down."""
CONTRAST = (0.6, 1.5)
SATURATION = (0.4, 1.6)
CHANNEL_GAIN = (0.85, 1.15)


def random_views(image: Tensor, label_map: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Zoom in by up to MAX_ZOOM anywhere, and mirror half of the images; labels move along.

    Args:
        image: float [N, 3, H, W].
        label_map: uint8 [N, H, W].
        generator: on the CPU, so that every device sees the same views.

    Returns:
        image: float [N, 3, H, W], bilinear.
        label_map: int64 [N, H, W], nearest neighbour.
    """
    num = len(image)
    zoom, left, top, coin = torch.rand(4, num, generator=generator)
    scale = 1 / (1 + zoom * (MAX_ZOOM - 1))
    mirror = torch.where(coin < 0.5, -1.0, 1.0)
    affine = torch.zeros(num, 2, 3)
    affine[:, 0, 0] = scale * mirror
    affine[:, 1, 1] = scale
    affine[:, 0, 2] = (1 - scale) * (2 * left - 1)
    affine[:, 1, 2] = (1 - scale) * (2 * top - 1)
    grid = F.affine_grid(affine.to(image.device), list(image.shape), align_corners=False)
    seen = F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=False)
    labels = label_map[:, None].float()
    labels = F.grid_sample(labels, grid, mode="nearest", padding_mode="border", align_corners=False)
    return seen, labels[:, 0].round().long()


def jitter_colors(image: Tensor, generator: torch.Generator) -> Tensor:
    """Another light and another camera: saturation, contrast, brightness and a gain of each channel.

    float [N, 3, H, W] in [-1, 1] -> same shape and range; `generator` is on the CPU.
    """
    num = len(image)

    def draw(low: float, high: float, channels: int = 1) -> Tensor:
        drawn = torch.rand(num, channels, 1, 1, generator=generator)
        return (low + drawn * (high - low)).to(image.device)

    grey = image.mean(1, keepdim=True)
    image = grey + (image - grey) * draw(*SATURATION)
    mean = image.mean((1, 2, 3), keepdim=True)
    image = mean + (image - mean) * draw(*CONTRAST)
    image = (image + 1) * draw(*CHANNEL_GAIN, channels=3) - 1
    return (image + draw(-BRIGHTNESS, BRIGHTNESS)).clamp(-1, 1)
