"""What makes variants of a picture differ at large: numbers for each class of an image, read from its noise.

Noise of single pixels is averaged away by a generator's first convolutions, and a number for the whole image
is taken away by its instance norms.
"""

from functools import lru_cache

import torch
from torch import Tensor

__all__ = ["latent_map"]

PROJECTION_SEED = 0


def latent_map(image_a: Tensor, num: int) -> Tensor:
    """`num` numbers for each class, spread over the class's pixels; a pure function of the image.

    Over noise fields the numbers are about normally distributed and independent of each other. Each is a
    fixed random projection of how far the noise has lowered every pixel's classes; of images without noise
    all are 0. They do not depend on the rest of the batch.

    Args:
        image_a: float [N, K, H, W] in [-1, 1], one channel per class, with noise.
        num: numbers per class.

    Returns:
        float32 [N, num, H, W].
    """
    shares = (image_a.float() + 1) / 2
    total = shares.sum(1, keepdim=True)  # 1 - what the noise took
    centered = total - total.mean((2, 3), keepdim=True)
    deviation = centered.square().mean((2, 3), keepdim=True).sqrt()
    standardized = centered / deviation.clamp(min=1e-6)
    num_classes, height, width = image_a.shape[1:]
    projection = _projection(num * num_classes, height, width).to(image_a.device)
    latent = (standardized * projection).sum((2, 3)) / (height * width) ** 0.5
    by_class = latent.unflatten(1, (num, num_classes))[..., None, None]
    return (by_class * (shares / total.clamp(min=1e-6)).unsqueeze(1)).sum(2)


@lru_cache(maxsize=16)
def _projection(num: int, height: int, width: int) -> Tensor:
    """Independent signs, -1 or 1: float32 [num, height, width]."""
    generator = torch.Generator().manual_seed(PROJECTION_SEED)
    return torch.randint(0, 2, (num, height, width), generator=generator) * 2.0 - 1
