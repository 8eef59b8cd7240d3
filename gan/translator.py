"""Runs a trained generator: label maps in, photo-like pictures out."""

import numpy as np
import torch

from gan.conditioning import Conditioning
from gan.data import from_uint8, pad_to_multiple, to_uint8
from gan.device import autocast, resolve_device
from gan.methods.registry import build_generators
from gan.snapshot import Snapshot

__all__ = ["Translator"]


class Translator:
    """A snapshot's segmentation -> photograph generator on a device.

    Any height and width goes in and the same comes out: images are padded by their edge pixels to what the
    network needs, and cropped back. On a CPU images pass one by one, so that a picture does not depend on
    what it shares a batch with.

    Args:
        snapshot: the trained weights and their description.
        device: as torch names it; "auto" = cuda where there is one.
        precision: "auto" = bfloat16 where the device computes in it.
    """

    def __init__(self, snapshot: Snapshot, *, device: str = "auto", precision: str | None = None):
        self.info = snapshot.info
        self.device = resolve_device(device)
        self.precision = precision or snapshot.info.train.precision
        self.conditioning = Conditioning(snapshot.labels, snapshot.info.train.conditioning).to(self.device)
        generators = build_generators(snapshot.info.train, self.conditioning.domain)
        generators.load_state_dict(snapshot.weights)
        self.generators = generators.eval().requires_grad_(False).to(self.device)

    @property
    def needs_photos(self) -> bool:
        """True when the background of each picture is pasted from a photograph."""
        return self.info.train.drawn_background == "photo"

    @torch.inference_mode()
    def translate(
        self, label_maps: np.ndarray, noise_fields: np.ndarray, photos: np.ndarray | None = None
    ) -> np.ndarray:
        """Draw a picture for each label.

        Args:
            label_maps: uint8 [N, H, W] of class ids.
            noise_fields: uint8 [N, H, W], noise levels; other levels, other pictures.
            photos: uint8 [N, H, W, 3], backgrounds; wanted when `needs_photos`.

        Returns:
            uint8 [N, H, W, 3] RGB.
        """
        step = 1 if self.device.type == "cpu" else len(label_maps)
        pictures = []
        for start in range(0, len(label_maps), step):
            part = slice(start, start + step)
            photo = None if photos is None else photos[part]
            pictures.append(self._translate(label_maps[part], noise_fields[part], photo))
        return np.concatenate(pictures)

    def _translate(
        self, label_maps: np.ndarray, noise_fields: np.ndarray, photos: np.ndarray | None
    ) -> np.ndarray:
        labels = torch.from_numpy(label_maps).to(self.device, non_blocking=True)
        noise = torch.from_numpy(noise_fields).to(self.device, non_blocking=True)
        image_a, _, attention = self.conditioning(labels, noise)
        image_b = (
            None if photos is None else self._padded(from_uint8(torch.from_numpy(photos).to(self.device)))
        )
        height, width = image_a.shape[-2:]
        with autocast(self.device, self.precision):
            picture = self.generators.draw_b(self._padded(image_a), self._padded(attention), image_b)
        return to_uint8(picture[..., :height, :width]).cpu().numpy()

    def _padded(self, image: torch.Tensor) -> torch.Tensor:
        return pad_to_multiple(image, self.generators.size_multiple)
