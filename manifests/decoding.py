"""From the bytes of a published file to pixels. OpenCV and Pillow are imported where they are used."""

import io
import struct
import zlib

import numpy as np

__all__ = ["UndecodableError", "decode_image", "decode_label", "image_size"]

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DECODER_ERRORS = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)


class UndecodableError(ValueError):
    """Bytes that are not the image or label that they should be; the message says why."""


def image_size(data: bytes) -> tuple[int, int]:
    """Width and height in px as a PNG's or JPEG's header states them; nothing is decoded.

    Raises:
        UndecodableError: neither PNG nor JPEG, or the header is damaged.
    """
    # The formats' own classes: `Image.open` would also try all others, and judge the size by itself.
    from PIL import JpegImagePlugin, PngImagePlugin

    is_png = data.startswith(_PNG_SIGNATURE)
    if not is_png and not data.startswith(b"\xff\xd8\xff"):
        raise UndecodableError("it is neither PNG nor JPEG")
    try:
        reader = PngImagePlugin.PngImageFile if is_png else JpegImagePlugin.JpegImageFile
        return reader(io.BytesIO(data)).size
    except _DECODER_ERRORS as error:
        raise UndecodableError(f"its header is damaged ({error})") from error


def decode_image(data: bytes) -> np.ndarray:
    """uint8 [H, W, 3] RGB of a PNG or JPEG, as stored, whatever orientation its metadata asks for.

    Raises:
        UndecodableError: it is damaged or of another kind.
    """
    import cv2

    if not data:
        raise UndecodableError("it is empty")
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise UndecodableError(f"it is damaged ({error.err})") from error
    if pixels is None:
        raise UndecodableError("it is damaged or no image")
    return pixels


def decode_label(data: bytes) -> np.ndarray:
    """uint8 [H, W] class ids of a label PNG: the palette's indices, not its colours.

    Raises:
        UndecodableError: it is damaged, no PNG, or has neither a palette nor 8-bit grey.
    """
    from PIL import PngImagePlugin

    try:
        image = PngImagePlugin.PngImageFile(io.BytesIO(data))
        if image.mode not in ("P", "L"):
            raise UndecodableError(
                f"its mode is {image.mode}; a label is a PNG with a palette, or 8-bit grey"
            )
        return np.array(image)
    except UndecodableError:
        raise
    except _DECODER_ERRORS as error:
        raise UndecodableError(f"it is damaged or no PNG ({error})") from error
