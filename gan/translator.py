"""Runs a trained method in both directions: label maps or renders to photo-like pictures, photographs to
label maps."""

import numpy as np
import torch
from torch import Tensor

from gan.attention import backdrop_of
from gan.conditioning import Conditioning
from gan.data import from_uint8, pad_to_multiple, to_uint8
from gan.device import autocast, resolve_device
from gan.drawing_layout import lay_out_for_cpu
from gan.image_size import require_size
from gan.methods.registry import build_generators
from gan.snapshot import Snapshot

__all__ = ["Translator"]


class Translator:
    """A snapshot's generators on a device.

    Any height and width goes in, unless the networks draw one alone, and the same comes out: images are
    padded by their edge pixels to what the network needs, and cropped back. On a CPU images pass one by one,
    so that a picture does not depend on what it shares a batch with.

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
        if self.device.type == "cpu":
            lay_out_for_cpu(self.generators)

    @property
    def needs_photos(self) -> bool:
        """True when the background of each picture is pasted from a photograph."""
        return self.info.train.drawn_background == "photo"

    @property
    def needs_renders(self) -> bool:
        """True when the renders of labels are drawn from."""
        return self.conditioning.kind == "render"

    @property
    def reads_labels(self) -> bool:
        """False where the method learned no way back from photographs, or one to renders; `read_labels` is
        then not to be called."""
        return self.generators.draws_a and not self.needs_renders

    @torch.inference_mode()
    def translate(
        self,
        label_maps: np.ndarray | None,
        noise_fields: np.ndarray,
        photos: np.ndarray | None = None,
        renders: np.ndarray | None = None,
    ) -> np.ndarray:
        """Draw a picture for each label.

        Args:
            label_maps: uint8 [N, H, W] of class ids; may be None when `info.train.draws_from_render_alone`.
            noise_fields: uint8 [N, H, W], noise levels; other levels, other pictures.
            photos: uint8 [N, H, W, 3], backgrounds; wanted when `needs_photos`.
            renders: uint8 [N, H, W, 3], of the labels; wanted when `needs_renders`.

        Returns:
            uint8 [N, H, W, 3] RGB.

        Raises:
            ImageSizeError: the networks draw another size only.
        """
        if label_maps is None:
            label_maps = np.zeros_like(noise_fields)  # whatever they are, no pixel depends on it
        images = label_maps, noise_fields, photos, renders
        return np.concatenate(
            [
                self._translate(*(None if image is None else image[part] for image in images))
                for part in self._parts(len(noise_fields))
            ]
        )

    @torch.inference_mode()
    def read_labels(self, photos: np.ndarray) -> np.ndarray:
        """Draw a segmentation image for each photograph, and say which class each of its pixels is.

        With conditioning "rgb" that is the class of the nearest colour, with "onehot" that of the highest
        channel; of two that are as near the first.

        Args:
            photos: uint8 [N, H, W, 3] RGB.

        Returns:
            uint8 [N, H, W] of class ids.

        Raises:
            ImageSizeError: the networks draw another size only.
        """
        return np.concatenate([self._read_labels(photos[part]) for part in self._parts(len(photos))])

    @torch.inference_mode()
    def nearest_classes(self, segmentation_images: np.ndarray) -> np.ndarray:
        """The class whose colour is nearest: uint8 [N, H, W, 3] RGB -> uint8 [N, H, W] of class ids."""
        images = torch.from_numpy(segmentation_images).to(self.device)
        return self._nearest_classes(images).cpu().numpy()

    def _parts(self, num: int) -> list[slice]:
        step = 1 if self.device.type == "cpu" else num
        return [slice(start, start + step) for start in range(0, num, step)]

    def _translate(self, *images: np.ndarray | None) -> np.ndarray:
        """Label maps, noise fields, photographs and renders of one part."""
        labels, noise, photo, render = (
            None if image is None else torch.from_numpy(image).to(self.device, non_blocking=True)
            for image in images
        )
        image_b, render = (None if image is None else from_uint8(image) for image in (photo, render))
        image_a = self.conditioning.noisy(labels, noise, render)
        attention = self.conditioning.attention(labels)
        backdrop, background = None, self.info.train.drawn_background
        if background != "generate":
            clean_a = self.conditioning.clean(labels, render)
            backdrop = self._padded(backdrop_of(background, clean_a=clean_a, image_b=image_b))
        height, width = image_a.shape[-2:]
        with autocast(self.device, self.precision):
            picture = self.generators.draw_b(self._padded(image_a), self._padded(attention), backdrop)
        return to_uint8(picture[..., :height, :width]).cpu().numpy()

    def _read_labels(self, photos: np.ndarray) -> np.ndarray:
        image_b = from_uint8(torch.from_numpy(photos).to(self.device))
        height, width = image_b.shape[-2:]
        with autocast(self.device, self.precision):
            image_a = self.generators.draw_a(self._padded(image_b))[..., :height, :width]
        if self.conditioning.kind == "onehot":
            return image_a.argmax(1).to(torch.uint8).cpu().numpy()
        return self._nearest_classes(to_uint8(image_a)).cpu().numpy()

    def _nearest_classes(self, images: Tensor) -> Tensor:
        """uint8 [N, H, W, 3] -> uint8 [N, H, W]; class by class, as a distance to each at once would not fit
        beside a large image."""
        levels = images.to(torch.int32)
        nearest = torch.zeros_like(levels[..., 0], dtype=torch.uint8)
        smallest = torch.full_like(levels[..., 0], torch.iinfo(torch.int32).max)
        for class_id, color in enumerate(self.conditioning.colors.tolist()):
            distance = (levels - levels.new_tensor(color)).square().sum(-1, dtype=torch.int32)
            nearest[distance < smallest] = class_id
            smallest = smallest.minimum(distance)
        return nearest

    def _padded(self, image: Tensor) -> Tensor:
        require_size(image.shape[-2:], self.generators.only_size)
        return pad_to_multiple(image, self.generators.size_multiple)
