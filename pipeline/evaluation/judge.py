"""The judge: a trained segmenter that reads images."""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gan.data import from_uint8
from gan.device import autocast
from gan.segmenter import Segmenter

__all__ = ["Judge"]

READ_BATCH = 16
"""Images per network pass."""


class Judge:
    """Reads classes and features from images.

    Args:
        segmenter: trained; the judge moves it to its device.
        is_ignored: bool [K], classes that it never answers.
        device: where it computes.
        precision: as `gan.device.autocast` has it.
    """

    def __init__(self, segmenter: Segmenter, is_ignored: np.ndarray, *, device: torch.device, precision: str):
        self.segmenter = segmenter.eval().requires_grad_(False).to(device)
        self.is_ignored = is_ignored
        self.device = device
        self.precision = precision
        self._never = torch.from_numpy(is_ignored).to(device)[:, None, None]

    @torch.inference_mode()
    def read(self, images: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
        """The class of every pixel.

        Args:
            images: uint8 [N, H, W, 3] RGB.
            size: height and width of the answer, to which the logits are brought first; None = the images'.

        Returns:
            uint8 [N, H, W].
        """
        answers = []
        for image in self._batches(images):
            with autocast(self.device, self.precision):
                logits = self.segmenter(image)
            if size is not None:
                logits = F.interpolate(logits, size, mode="bilinear", align_corners=False)
            logits = logits.masked_fill(self._never, -torch.inf)
            answers.append(logits.argmax(1).to(torch.uint8).cpu().numpy())
        return np.concatenate(answers)

    @torch.inference_mode()
    def features(self, images: np.ndarray, *, grid: int = 1) -> np.ndarray:
        """What the segmenter's deepest level makes of images, averaged over the cells of a grid.

        Args:
            images: uint8 [N, H, W, 3] RGB.
            grid: cells along each side; 1 = no place is kept, as for comparing sets of images.

        Returns:
            float64 [N, C * grid * grid].
        """
        found = []
        for image in self._batches(images):
            with autocast(self.device, self.precision):
                deepest = self.segmenter.encode(image)[-1]
            pooled = F.adaptive_avg_pool2d(deepest.float(), grid)
            found.append(pooled.flatten(1).double().cpu().numpy())
        return np.concatenate(found)

    def _batches(self, images: np.ndarray) -> Iterator[Tensor]:
        for start in range(0, len(images), READ_BATCH):
            part = torch.from_numpy(np.ascontiguousarray(images[start : start + READ_BATCH]))
            yield from_uint8(part.to(self.device))
