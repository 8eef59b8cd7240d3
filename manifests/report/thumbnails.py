"""Pictures small enough that five hundred of them fit into a page."""

import base64

import cv2
import numpy as np

__all__ = ["image_uri", "label_uri", "mask_uri", "picture_uri"]

MAX_SIDE_PX = 208
WEBP_QUALITY = 72


def image_uri(pixels: np.ndarray) -> str:
    """data: URI of a smaller copy of an image uint8 [H, W, 3] RGB."""
    size = _size(pixels)
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if size != pixels.shape[1::-1] else pixels
    return _uri("webp", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY])


def label_uri(label_map: np.ndarray, colors: np.ndarray) -> str:
    """data: URI of a smaller copy of class ids uint8 [H, W] in colours uint8 [K, 3] RGB."""
    return _png(colors[_nearest(label_map)])


def mask_uri(label_map: np.ndarray, is_background: np.ndarray) -> str:
    """data: URI of the attention mask: white where the class is no background; bool [K]."""
    return _png(np.where(is_background, 0, 255).astype(np.uint8)[_nearest(label_map)])


def picture_uri(data: bytes, kind: str) -> str:
    """data: URI of a file as it is, such as kind "png"."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _size(pixels: np.ndarray) -> tuple[int, int]:
    height, width = pixels.shape[:2]
    scale = min(1.0, MAX_SIDE_PX / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _nearest(label_map: np.ndarray) -> np.ndarray:
    return cv2.resize(label_map, _size(label_map), interpolation=cv2.INTER_NEAREST)


def _png(pixels: np.ndarray) -> str:
    """Few colours: as a palette PNG they take a third of the space."""
    from io import BytesIO

    from PIL import Image

    buffer = BytesIO()
    image = Image.fromarray(pixels)
    if pixels.ndim == 3:
        image = image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    image.save(buffer, "png", optimize=True)
    return picture_uri(buffer.getvalue(), "png")


def _uri(kind: str, pixels: np.ndarray, parameters: list[int]) -> str:
    is_done, data = cv2.imencode(f".{kind}", pixels, parameters)
    assert is_done
    return picture_uri(data.tobytes(), kind)
