"""The only place that reads and writes image files. Outside it an image is uint8 [H, W, 3] RGB, upright."""

import io
import logging
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps

from manifests.durable import make_folders, write_durable
from pipeline.image_headers import (
    JPEG_SIGNATURE,
    PNG_SIGNATURE,
    ImageHeader,
    read_jpeg_header,
    read_png_header,
)
from pipeline.palette import Palette, UnknownColorError, decode, decode_rgb

__all__ = [
    "BadImageError",
    "decode_image",
    "decode_label",
    "encode_jpeg",
    "encode_label_png",
    "encode_png",
    "read_bytes",
    "read_image",
    "read_label",
    "upright_size",
    "write_file",
]

logger = logging.getLogger(__name__)

MAX_MEGAPIXELS = 64.0
"""Larger files are refused on their header; a file of a few kB can hold gigabytes of pixels."""

_LABEL_LEVEL = 3
"""Of zlib. Higher ones take several times as long and save a quarter."""

_OTHER_FORMATS = ("BMP", "GIF", "TIFF", "WEBP")
_PILLOW_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


class BadImageError(ValueError):
    """A file that cannot be used: `path`, and `reason` as a clause without the file."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}."


def read_bytes(path: Path) -> bytes:
    """The bytes of what should be an image. Raises BadImageError when there are none to be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadImageError(path, f"the file cannot be read ({error.strerror or error})") from error
    if not data:
        raise BadImageError(path, "the file is empty")
    return data


def read_image(path: Path, *, max_megapixels: float = MAX_MEGAPIXELS) -> np.ndarray:
    """Read a photograph or a render.

    Grey, 1-bit, palette and CMYK files become RGB; EXIF rotation is applied. 16-bit, transparent, animated,
    oversized, truncated and damaged files are refused.

    Returns:
        image: uint8 [H, W, 3] RGB, upright.

    Raises:
        BadImageError: the file cannot be used; path and reason.
    """
    return decode_image(read_bytes(path), path, max_megapixels=max_megapixels)


def read_label(
    path: Path,
    palette: Palette,
    *,
    max_megapixels: float = MAX_MEGAPIXELS,
    antialiased_edges: bool = False,
) -> np.ndarray:
    """Read a segmentation image as class ids.

    RGB, RGBA (opaque) and palette files are decoded by their colours. Grey files, and palette files whose
    stored palette is the grey ramp, hold class ids if every value is one; otherwise their values are grey
    colours. Files with 1 bit hold black and white.

    Returns:
        label_map: uint8 [H, W] class ids, upright.

    Raises:
        BadImageError: the file cannot be used, or has colours outside the palette; path and reason.
    """
    return decode_label(
        read_bytes(path),
        palette,
        path,
        max_megapixels=max_megapixels,
        antialiased_edges=antialiased_edges,
    )


def upright_size(path: Path) -> tuple[int, int]:
    """Width and height in px after EXIF rotation, from the header alone.

    Raises:
        BadImageError: the file cannot be opened; path and reason.
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
            is_turned = image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
    except _PILLOW_ERRORS as error:
        raise BadImageError(path, f"it cannot be opened ({error})") from error
    return (height, width) if is_turned else (width, height)


def decode_image(data: bytes, path: Path, *, max_megapixels: float = MAX_MEGAPIXELS) -> np.ndarray:
    """`read_image` for bytes already read; `path` is for the error only."""
    header = _check_header(data, path, max_megapixels)
    if header is None or header.has_alpha:
        return _rgb_array(_open(data, path, max_megapixels), path)
    if header.channels == 4:
        logger.warning("%s is CMYK; it was converted to RGB without a colour profile.", path)
    return _decode_rgb(data, path)


def decode_label(
    data: bytes,
    palette: Palette,
    path: Path,
    *,
    max_megapixels: float = MAX_MEGAPIXELS,
    antialiased_edges: bool = False,
) -> np.ndarray:
    """`read_label` for bytes already read; `path` is for the error only."""
    if data.startswith(JPEG_SIGNATURE):
        raise BadImageError(path, "it is a JPEG, which changes the colours of a label; a PNG was wanted")
    header = _check_header(data, path, max_megapixels)
    try:
        if header is not None and header.channels == 3 and not header.has_alpha:
            return decode_rgb(_decode_rgb(data, path), palette, antialiased_edges=antialiased_edges)
        # The rest goes through Pillow, which keeps the indices of palette files.
        image = _open(data, path, max_megapixels)
        if image.mode == "P" and "transparency" not in image.info:
            return _indexed_label(image, palette, path, antialiased_edges)
        if image.mode == "L" and "transparency" not in image.info:
            return _grey_label(np.array(image), palette, antialiased_edges)
        if image.mode == "LA":
            return _grey_label(_rgb_array(image, path)[..., 0], palette, antialiased_edges)
        return decode_rgb(_rgb_array(image, path), palette, antialiased_edges=antialiased_edges)
    except UnknownColorError as error:
        raise BadImageError(path, str(error)) from error


def encode_png(array: np.ndarray) -> bytes:
    """PNG of an image uint8 [H, W, 3] RGB or a mask uint8 [H, W]."""
    # OpenCV's defaults are the fastest: even its compression level 1 takes 2.5 times as long.
    return _encode(".png", array, [])


def encode_jpeg(array: np.ndarray, quality: int) -> bytes:
    """JPEG of an image uint8 [H, W, 3] RGB; never for labels."""
    return _encode(".jpg", array, [cv2.IMWRITE_JPEG_QUALITY, quality])


def encode_label_png(label_map: np.ndarray, palette: Palette) -> bytes:
    """Palette PNG of a label map uint8 [H, W]: ids for machines, colours for people.

    Unfiltered and deflated here: OpenCV's way takes longer to encode and two to four times as long to decode.
    """
    top = int(label_map.max(initial=0))
    if top >= palette.num_classes:
        raise ValueError(
            f"label map has class id {top}, but palette '{palette.name}' ends at {palette.num_classes - 1}"
        )
    height, width = label_map.shape
    rows = np.zeros((height, 1 + width), np.uint8)  # each is led by its filter: 0, none
    rows[:, 1:] = label_map
    header = struct.pack(">II5B", width, height, 8, 3, 0, 0, 0)  # 8-bit indices of a palette
    return (
        PNG_SIGNATURE
        + _chunk(b"IHDR", header)
        + _chunk(b"PLTE", palette.colors.tobytes())
        + _chunk(b"IDAT", zlib.compress(rows, _LABEL_LEVEL))
        + _chunk(b"IEND", b"")
    )


def write_file(path: Path, data: bytes) -> None:
    """Write encoded bytes durably, folders included. Raises DiskFullError when they do not fit."""
    make_folders(path.parent)
    write_durable(path, data)


def _check_header(data: bytes, path: Path, max_megapixels: float) -> ImageHeader | None:
    """The header of a PNG or JPEG, None for another format. Raises BadImageError on what we refuse."""
    try:
        if data.startswith(PNG_SIGNATURE):
            header = read_png_header(data)
        elif data.startswith(JPEG_SIGNATURE):
            header = read_jpeg_header(data)
        else:
            return None
    except ValueError as error:
        raise BadImageError(path, str(error)) from None
    _check_size(header.width, header.height, path, max_megapixels)
    if header.bits > 8:
        raise BadImageError(path, f"it has {header.bits} bits per channel; 8 were wanted, convert it")
    if header.is_animated:
        raise BadImageError(path, "it is animated; a single picture was wanted")
    return header


def _check_size(width: int, height: int, path: Path, max_megapixels: float) -> None:
    if width * height > max_megapixels * 1e6:
        raise BadImageError(
            path,
            f"it has {width} x {height} px = {width * height / 1e6:.1f} MPix, over the limit of "
            f"{max_megapixels:g}; scale it down or raise sources.max_megapixels",
        )


def _decode_rgb(data: bytes, path: Path) -> np.ndarray:
    """uint8 [H, W, 3] by OpenCV, which applies EXIF rotation itself."""
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        raise BadImageError(path, f"its pixels cannot be decoded ({error.err})") from error
    if image is None:
        raise BadImageError(path, "its pixels cannot be decoded; the file is damaged")
    return image


def _open(data: bytes, path: Path, max_megapixels: float) -> Image.Image:
    """A picture decoded by Pillow, upright, in the mode of its file."""
    try:
        image = Image.open(io.BytesIO(data), formats=("PNG", *_OTHER_FORMATS))
    except Image.UnidentifiedImageError:
        raise BadImageError(path, "it is no image that can be read; PNG or JPEG was wanted") from None
    except _PILLOW_ERRORS as error:
        raise BadImageError(path, f"it cannot be opened ({error})") from error
    _check_size(*image.size, path, max_megapixels)
    try:
        if getattr(image, "n_frames", 1) > 1:
            raise BadImageError(path, "it is animated or has several pages; a single picture was wanted")
        image.load()
        return ImageOps.exif_transpose(image)
    except BadImageError:
        raise
    except _PILLOW_ERRORS as error:
        raise BadImageError(path, f"its pixels cannot be decoded ({error})") from error


def _rgb_array(image: Image.Image, path: Path) -> np.ndarray:
    """uint8 [H, W, 3] of a decoded picture without transparency."""
    if image.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK"):
        raise BadImageError(path, f"its pixel format is {image.mode}; 8-bit RGB, grey or palette was wanted")
    if image.has_transparency_data:
        pixels = np.array(image.convert("RGBA"))
        num_transparent = int((pixels[..., 3] < 255).sum())
        if num_transparent:
            raise BadImageError(path, f"{num_transparent} pixels are transparent; an opaque image was wanted")
        return np.ascontiguousarray(pixels[..., :3])
    if image.mode == "CMYK":
        logger.warning("%s is CMYK; it was converted to RGB without a colour profile.", path)
    return np.array(image.convert("RGB"))


def _indexed_label(image: Image.Image, palette: Palette, path: Path, antialiased_edges: bool) -> np.ndarray:
    indices = np.array(image)
    stored = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
    if len(stored) > 1 and (stored == np.arange(len(stored))[:, None]).all():
        return _grey_label(indices, palette, antialiased_edges)
    colors = np.zeros((256, 3), np.uint8)
    colors[: len(stored)] = stored
    used = np.flatnonzero(cv2.calcHist([indices], [0], None, [256], [0, 256]))
    if used[-1] >= len(stored):
        raise BadImageError(path, f"its pixels name palette entry {used[-1]} of {len(stored)}")
    class_of_index = np.zeros(256, np.uint8)
    try:
        class_of_index[used] = decode(colors[None, used], palette)[0]
    except UnknownColorError:
        return decode(colors[indices], palette, antialiased_edges=antialiased_edges)
    return cv2.LUT(indices, class_of_index)


def _grey_label(values: np.ndarray, palette: Palette, antialiased_edges: bool) -> np.ndarray:
    if values.max(initial=0) < palette.num_classes:
        return np.ascontiguousarray(values)
    return decode(np.repeat(values[..., None], 3, axis=2), palette, antialiased_edges=antialiased_edges)


def _encode(suffix: str, array: np.ndarray, parameters: list[int]) -> bytes:
    pixels = cv2.cvtColor(array, cv2.COLOR_RGB2BGR) if array.ndim == 3 else np.ascontiguousarray(array)
    is_done, data = cv2.imencode(suffix, pixels, parameters)
    assert is_done, f"OpenCV did not encode {array.shape} {array.dtype} as {suffix}"
    return data.tobytes()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
