"""Images with a label for every pixel, in memory: what a judge learns from and is tested on."""

from dataclasses import dataclass

import numpy as np

__all__ = ["LabelledImages"]


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """Images and their labels, pixel on pixel, all of one size."""

    images: np.ndarray
    """uint8 [N, H, W, 3] RGB."""
    label_maps: np.ndarray
    """uint8 [N, H, W] of class ids."""

    def __len__(self) -> int:
        return len(self.images)
