"""Small pictures as data URIs, which a page holds itself; each is at most so many bytes."""

import base64
import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image

from manifests.decoding import UndecodableError, decode_image, decode_label, image_size
from manifests.paths import UnsafePathError
from manifests.storage.store import Store

__all__ = ["Thumbnails", "draw_thumbnails", "picture_uri"]

MAX_SIDES_PX = (320, 256, 192, 128, 96, 64)
"""Longest side of a thumbnail: the first at which it is small enough."""
QUALITIES = (74, 60, 45)
_WEBP_METHOD = 2
"""Of 0 to 6: twice as fast as the usual 4, for 5 % more bytes."""
_RUN_LENGTHS = 3
"""zlib's strategy that looks for runs only: a tenth of the time, and labels are made of runs."""
MAX_IMAGE_BYTES = 8_200
MAX_LABEL_BYTES = 2_200
MAX_MASK_BYTES = 800
MAX_MEGAPIXELS = 64
"""Larger files are not decoded."""
UNKNOWN_COLOR = (255, 0, 255)
"""Of ids that the palette does not have."""


class Thumbnails(NamedTuple):
    """The pictures of a sample as data URIs; "" where a file cannot be shown."""

    image: str
    label: str
    """In the palette's colours."""
    mask: str
    """White = a class that is not background."""
    fault: str
    """What cannot be shown, and why; "" = nothing."""


def draw_thumbnails(store: Store, row: dict[str, Any], classes: Sequence[dict[str, Any]]) -> Thumbnails:
    """Read the image and the label of a row and shrink them.

    Args:
        store: where the files lie.
        row: a row of the manifest.
        classes: the palette's classes, in the order of their ids.
    """
    faults = []
    image = label = mask = ""
    try:
        image = picture_uri(decode_image(_read(store, row["image_file_name"])), MAX_IMAGE_BYTES)
    except (OSError, UndecodableError, UnsafePathError) as error:
        faults.append(f"image: {_reason(error)}")
    try:
        label_map = decode_label(_read(store, row["label_file_name"]))
        colors = [tuple(entry["color"]) for entry in classes]
        is_shown = [not entry.get("background") for entry in classes]
        label = _indexed_uri(label_map, [*colors, UNKNOWN_COLOR], MAX_LABEL_BYTES)
        shown = np.array([*is_shown, True])[np.minimum(label_map, len(classes))]
        mask = _indexed_uri(shown.astype(np.uint8), [(0, 0, 0), (255, 255, 255)], MAX_MASK_BYTES)
    except (OSError, UndecodableError, UnsafePathError) as error:
        faults.append(f"label: {_reason(error)}")
    return Thumbnails(image, label, mask, "; ".join(faults))


def picture_uri(picture: np.ndarray, max_bytes: int, *, max_sides_px: Sequence[int] = MAX_SIDES_PX) -> str:
    """WebP of a picture, uint8 [H, W, 3] RGB, at the largest size and the best quality within `max_bytes`."""
    for side in max_sides_px:
        shrunk = cv2.resize(picture, _size_within(picture, side), interpolation=cv2.INTER_AREA)
        for quality in QUALITIES:
            buffer = io.BytesIO()
            Image.fromarray(shrunk).save(buffer, "webp", quality=quality, method=_WEBP_METHOD)
            if len(data := buffer.getvalue()) <= max_bytes:
                return _uri("webp", data)
    return _uri("webp", data)


def _indexed_uri(indices: np.ndarray, colors: Sequence[tuple[int, ...]], max_bytes: int) -> str:
    """Palette PNG of uint8 [H, W]; an index that has no colour gets the last one."""
    indices = np.minimum(indices, len(colors) - 1).astype(np.uint8)
    for side in MAX_SIDES_PX:
        shrunk = cv2.resize(indices, _size_within(indices, side), interpolation=cv2.INTER_NEAREST)
        image = Image.fromarray(shrunk)
        image.putpalette([channel for color in colors for channel in color])
        buffer = io.BytesIO()
        image.save(buffer, "png", compress_type=_RUN_LENGTHS)
        if len(data := buffer.getvalue()) <= max_bytes:
            break
    return _uri("png", data)


def _read(store: Store, name: str) -> bytes:
    data = store.read(name)
    width, height = image_size(data)
    if width * height > MAX_MEGAPIXELS * 1_000_000:
        raise UndecodableError(f"it has {width}x{height} px, over {MAX_MEGAPIXELS} megapixels")
    return data


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error).rstrip(".")


def _size_within(picture: np.ndarray, side: int) -> tuple[int, int]:
    """Width and height with a longest side of at most `side`."""
    height, width = picture.shape[:2]
    scale = min(1.0, side / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
