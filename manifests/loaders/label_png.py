"""Label PNGs to class ids at half a general decoder's cost. OpenCV is imported where it is used."""

import struct
import zlib

import numpy as np

from manifests.decoding import decode_label

__all__ = ["decode_label_fast"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PLAIN_FORMATS = {b"\x08\x00\x00\x00\x00": b"IDAT", b"\x08\x03\x00\x00\x00": b"PLTE"}
"""Bits, colour type, compression, filter method and interlacing of 8-bit grey and of palette files, and the
chunk that comes next."""
_MAX_GROWTH = 1032
"""Bytes that one byte of a deflated stream can become at most."""
_MAX_PACKED_BYTES = 64 * 1024
"""Of a label that is inflated at one go; it bounds what a damaged or malicious one can grow to."""
_END = struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))


def decode_label_fast(data: bytes, out: np.ndarray | None = None) -> np.ndarray:
    """What `manifests.decoding.decode_label` makes of the same bytes, refusals included.

    Files of the plain form that this project writes are decoded here, if every checksum and length is right:
    a header, a palette or none, pixels whose rows are all unfiltered or all differences to the left. Anything
    else is left to `decode_label`.

    Args:
        data: the file's bytes.
        out: uint8, contiguous; takes the class ids if it has their size, to save a copy of them.

    Returns:
        label_map: uint8 [H, W] class ids; `out` or a new array.

    Raises:
        UndecodableError: it is damaged, no PNG, or has neither a palette nor 8-bit grey.
    """
    rows = _plain_rows(data)
    if rows is not None:
        filters, pixels = rows[:, 0], rows[:, 1:]
        if out is None or out.shape != pixels.shape:
            out = np.empty(pixels.shape, np.uint8)
        if not filters.any():
            np.copyto(out, pixels)
            return out
        if (filters == 1).all():
            return _undo_differences(pixels, out)
    return decode_label(data)


def _plain_rows(data: bytes) -> np.ndarray | None:
    """uint8 [H, 1 + W] of a sound PNG in the plain form, each row led by its filter; None for any other."""
    # The header: 13 bytes in the first chunk.
    header = _chunk(data, 8, b"IHDR")
    if header is None or len(header) != 13 or not data.startswith(_SIGNATURE):
        return None
    width, height, pixel_format = struct.unpack(">II5s", header)
    next_kind = _PLAIN_FORMATS.get(pixel_format)
    if next_kind is None or not width or not height:
        return None
    position = 33

    # The palette is for people; its form is checked as a general decoder would.
    if next_kind == b"PLTE":
        palette = _chunk(data, position, b"PLTE")
        if palette is None or len(palette) % 3 or not 3 <= len(palette) <= 768:
            return None
        position += 12 + len(palette)

    # The pixels, in one chunk or several, and then the end.
    parts = []
    while (part := _chunk(data, position, b"IDAT")) is not None:
        parts.append(part)
        position += 12 + len(part)
    if data[position:] != _END:
        return None
    packed = b"".join(parts)
    if len(packed) > _MAX_PACKED_BYTES:
        return None
    num_bytes = height * (1 + width)
    try:
        pixels = zlib.decompress(packed, bufsize=min(num_bytes, _MAX_PACKED_BYTES * _MAX_GROWTH))
    except zlib.error:
        return None
    return np.frombuffer(pixels, np.uint8).reshape(height, 1 + width) if len(pixels) == num_bytes else None


def _chunk(data: bytes, position: int, kind: bytes) -> bytes | None:
    """The content of the chunk at `position`, if it is there, of that kind and has the right checksum."""
    start = position + 8
    end = start + int.from_bytes(data[position : position + 4])
    if data[position + 4 : start] != kind:
        return None
    content = data[start:end]
    is_sound = zlib.crc32(content, zlib.crc32(kind)) == int.from_bytes(data[end : end + 4])
    return content if is_sound and len(data) >= end + 4 else None


def _undo_differences(pixels: np.ndarray, out: np.ndarray) -> np.ndarray:
    """The sum of each pixel and all to its left, modulo 256, put into `out`."""
    import cv2

    # Sums over 1, 2, 4, ... columns; turned, so that each step adds long runs of memory.
    sums = cv2.transpose(pixels)
    others = np.empty_like(sums)
    reach = 1
    while reach < len(sums):
        others[:reach] = sums[:reach]
        np.add(sums[reach:], sums[:-reach], out=others[reach:])
        sums, others = others, sums
        reach *= 2
    return cv2.transpose(sums, out)
