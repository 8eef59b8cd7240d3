"""Sizes and crops. Label maps are only resized with nearest neighbour; no aspect ratio is ever changed."""

from typing import NamedTuple

import cv2
import numpy as np

__all__ = [
    "CENTERED",
    "View",
    "cover_scale",
    "draw_view",
    "resize",
    "resize_label_map",
    "resize_photo",
    "scaled_size",
    "view",
]


class View(NamedTuple):
    """How one image is shown in training; drawn from a seed, so that it is the same whenever it is drawn."""

    zoom: float
    """The image is scaled to cover this multiple of the crop."""
    left: float
    """Where the crop lies in what is left over, 0 to 1."""
    top: float
    flipped: bool


CENTERED = View(zoom=1.0, left=0.5, top=0.5, flipped=False)


def draw_view(
    random: np.random.Generator, *, load_scale: float, flip: bool, crop_probability: float = 1.0
) -> View:
    """Zoom drawn evenly from [1, load_scale] and a crop anywhere, or else the middle of the image, as much as
    the crop's aspect ratio allows; mirrored or not."""
    zoom, left, top, coin, whole = random.random(5)
    flipped = flip and coin < 0.5
    if whole >= crop_probability:
        return CENTERED._replace(flipped=flipped)
    return View(1 + zoom * (load_scale - 1), left, top, flipped)


def cover_scale(width: int, height: int, target_width: int, target_height: int) -> float:
    """The factor by which an image just covers a target."""
    return max(target_width / width, target_height / height)


def scaled_size(width: int, height: int, scale: float) -> tuple[int, int]:
    """Width and height in px after scaling, at least 1."""
    return max(1, round(width * scale)), max(1, round(height * scale))


def view(image: np.ndarray, shown: View, *, width: int, height: int) -> np.ndarray:
    """Scale, crop and mirror one image for training.

    Args:
        image: label map uint8 [H, W] or photograph uint8 [H, W, 3], of any size.
        shown: the view.
        width: of the crop in px.
        height: of the crop in px.

    Returns:
        uint8 [height, width] or [height, width, 3], contiguous.
    """
    scale = cover_scale(image.shape[1], image.shape[0], width, height) * shown.zoom
    size = scaled_size(image.shape[1], image.shape[0], scale)
    size = max(size[0], width), max(size[1], height)
    image = resize(image, size)
    left = round(shown.left * (size[0] - width))
    top = round(shown.top * (size[1] - height))
    crop = image[top : top + height, left : left + width]
    return np.ascontiguousarray(crop[:, ::-1] if shown.flipped else crop)


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A label map uint8 [H, W] or a picture uint8 [H, W, 3], as its kind is resized."""
    return resize_label_map(image, size) if image.ndim == 2 else resize_photo(image, size)


def resize_label_map(label_map: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Nearest neighbour: uint8 [H, W] of class ids -> [size[1], size[0]] of ids that were there before."""
    if (label_map.shape[1], label_map.shape[0]) == size:
        return label_map
    return cv2.resize(label_map, size, interpolation=cv2.INTER_NEAREST_EXACT)


def resize_photo(photo: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """uint8 [H, W, 3] -> [size[1], size[0], 3]: area average to shrink, bilinear to enlarge."""
    if (photo.shape[1], photo.shape[0]) == size:
        return photo
    shrinks = size[0] < photo.shape[1]
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
