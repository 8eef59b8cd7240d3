"""The size that a PNG or JPEG states, told in microseconds."""

import struct

__all__ = ["stated_size"]

_PNG_START = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_SEGMENTS = frozenset(range(0xC0, 0xFF)) - frozenset(range(0xD0, 0xDA))
"""Second bytes of the JPEG markers that a length follows."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Those that start a frame; the others of that range hold tables."""


def stated_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in px by the header; None = it takes a real decoder to tell, or to refuse it."""
    if data.startswith(_PNG_START) and len(data) >= 24:
        return struct.unpack_from(">II", data, 16)
    if not data.startswith(b"\xff\xd8"):
        return None
    # Hop from segment to segment until the one that starts the frame.
    position = 2
    while position + 9 <= len(data) and data[position] == 0xFF and data[position + 1] in _SEGMENTS:
        if data[position + 1] in _FRAMES:
            height, width = struct.unpack_from(">HH", data, position + 5)
            return width, height
        position += 2 + int.from_bytes(data[position + 2 : position + 4])
    return None
