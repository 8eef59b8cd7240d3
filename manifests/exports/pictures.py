"""Encodes the pictures that formats want."""

import io

import cv2
import numpy as np
from PIL import Image

__all__ = ["encode_image", "encode_png", "palette_png"]

JPEG_QUALITY = 95


def encode_image(pixels: np.ndarray, suffix: str) -> bytes:
    """A file ".png" or ".jpg" of an image uint8 [H, W, 3] RGB."""
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if suffix == ".jpg" else []
    return _encoded(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), suffix, options)


def encode_png(pixels: np.ndarray) -> bytes:
    """PNG of an image uint8 [H, W, 3] RGB, or of numbers uint8 or uint16 [H, W]."""
    return encode_image(pixels, ".png") if pixels.ndim == 3 else _encoded(pixels, ".png", [])


def palette_png(indices: np.ndarray, colors: np.ndarray) -> bytes:
    """PNG of numbers uint8 [H, W] with a colour uint8 [256, 3] for each."""
    image = Image.fromarray(indices)
    image.putpalette(colors.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "png")
    return buffer.getvalue()


def _encoded(pixels: np.ndarray, suffix: str, options: list[int]) -> bytes:
    is_done, data = cv2.imencode(suffix, pixels, options)
    assert is_done
    return data.tobytes()
