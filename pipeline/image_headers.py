"""What PNG and JPEG files say about themselves, checked strictly before a decoder sees them."""

import struct
import zlib
from typing import NamedTuple

__all__ = ["ImageHeader", "read_jpeg_header", "read_png_header"]

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8\xff"

_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_START_OF_SCAN, _JPEG_END = 0xDA, 0xD9
_JPEG_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}


class ImageHeader(NamedTuple):
    """Size and pixel format as stored, before any EXIF rotation."""

    width: int
    height: int
    bits: int
    """Per channel."""
    channels: int
    has_alpha: bool = False
    is_animated: bool = False


def read_png_header(data: bytes) -> ImageHeader:
    """Walk the chunks of a PNG and check each one's checksum: a flipped bit anywhere is found here.

    Raises:
        ValueError: the file is cut short or damaged; the message is a reason without the file.
    """
    header: ImageHeader | None = None
    has_transparency = is_animated = False
    position = len(PNG_SIGNATURE)
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        end = position + 8 + length
        if end + 4 > len(data):
            break
        if zlib.crc32(memoryview(data)[position + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise ValueError(
                f"the PNG is damaged: the checksum of its {kind.decode('latin-1')} chunk is wrong"
            )
        if kind == b"IHDR" and length == 13:
            width, height, bits, color_type = struct.unpack_from(">IIBB", data, position + 8)
            channels = _PNG_CHANNELS.get(color_type, 0)
            header = ImageHeader(width, height, bits, channels, has_alpha=color_type in (4, 6))
        elif kind == b"tRNS":
            has_transparency = True
        elif kind == b"acTL":
            is_animated = True
        elif kind == b"IEND":
            if header is None:
                raise ValueError("the PNG is damaged: it has no IHDR chunk")
            return header._replace(has_alpha=header.has_alpha or has_transparency, is_animated=is_animated)
        position = end + 4
    raise ValueError("the PNG is cut short: it has no IEND chunk")


def read_jpeg_header(data: bytes) -> ImageHeader:
    """Walk the segments of a JPEG to its frame header and require the end marker after its pixels.

    Decoders fill the missing rows of a truncated JPEG with grey without a word; the end marker tells. It is
    looked for behind the start of the scan, so that the one of an embedded thumbnail does not count, and what
    a camera appends after it does no harm.

    Raises:
        ValueError: the file is cut short or damaged; the message is a reason without the file.
    """
    header: ImageHeader | None = None
    position = 2
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            raise ValueError(f"the JPEG is damaged: no marker stands at byte {position}")
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if marker in _JPEG_WITHOUT_LENGTH:
            position += 2
            continue
        (length,) = struct.unpack_from(">H", data, position + 2)
        if marker in _JPEG_FRAMES and position + 10 <= len(data):
            bits, height, width, channels = struct.unpack_from(">BHHB", data, position + 4)
            header = ImageHeader(width, height, bits, channels)
        elif marker == _JPEG_START_OF_SCAN:
            if header is None:
                raise ValueError("the JPEG is damaged: its pixels come before its size")
            if data.find(bytes((0xFF, _JPEG_END)), position + 2 + length) < 0:
                raise ValueError("the JPEG is cut short: it has no end marker")
            return header
        position += 2 + length
    raise ValueError("the JPEG is cut short: it ends before its pixels begin")
