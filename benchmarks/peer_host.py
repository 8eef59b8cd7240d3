"""What the usual scripts do on the host for each label, pixel by pixel or with PIL; written anew in small."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor
from torchvision.transforms.functional import normalize, to_tensor

__all__ = ["PeerHost", "whitened_by_pixel"]


class PeerHost:
    """The usual script's work for each label, without its network: labels by PIL, pictures by PIL.

    Args:
        labels: the files of labels.
        answers: of the network, one for each label: float [1, 3, H, W] in [-1, 1].
        output: where the pictures go, under the labels' names; there already.
    """

    def __init__(self, labels: Sequence[Path], answers: Sequence[Tensor], output: Path):
        self._labels = labels
        self._answers = answers
        self._output = output

    def generate(self, num_labels: int, *, has_mask: bool = False) -> None:
        for path, answer in zip(self._labels[:num_labels], self._answers, strict=False):
            label = Image.open(path).convert("RGB")
            _as_input(label)
            if has_mask:
                to_tensor(whitened_by_pixel(label)).unsqueeze(0)
            Image.fromarray(_as_picture(answer)).save(self._output / path.name)


def whitened_by_pixel(picture: Image.Image) -> Image.Image:
    """The usual mask, in place: every pixel that is not black becomes white, one after the other."""
    for x in range(picture.width):
        for y in range(picture.height):
            if picture.getpixel((x, y)) != (0, 0, 0):
                picture.putpixel((x, y), (255, 255, 255))
    return picture


def _as_input(label: Image.Image) -> Tensor:
    """What the usual network sees: float [1, 3, H, W] in [-1, 1]."""
    return normalize(to_tensor(label), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)).unsqueeze(0)


def _as_picture(answer: Tensor) -> np.ndarray:
    """What the usual script makes of an answer: float [1, 3, H, W] in [-1, 1] -> uint8 [H, W, 3]."""
    levels = answer[0].cpu().float().numpy()
    return ((np.transpose(levels, (1, 2, 0)) + 1) / 2 * 255).astype(np.uint8)
