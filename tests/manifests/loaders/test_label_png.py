"""The quick decoder equals the careful one on every file, sound or damaged."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from PIL import Image

from manifests.decoding import UndecodableError, decode_label
from manifests.loaders import label_png
from manifests.loaders.label_png import decode_label_fast

label_maps = st_numpy.arrays(np.uint8, st_numpy.array_shapes(min_dims=2, max_dims=2, max_side=40))


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def with_palette(grey: bytes) -> bytes:
    """A grey PNG as a palette PNG, the way labels are written."""
    header = grey[16:25] + b"\x03" + grey[26:29]
    return grey[:8] + chunk(b"IHDR", header) + chunk(b"PLTE", bytes(range(256)) * 3) + grey[33:]


def by_opencv(label_map: np.ndarray, *parameters: int) -> bytes:
    return cv2.imencode(".png", label_map, parameters)[1].tobytes()


def by_pillow(label_map: np.ndarray, **options: object) -> bytes:
    image = Image.fromarray(label_map)
    image.putpalette([7, 8, 9] * 20)  # up to 16 colours Pillow packs pixels into fewer bits
    buffer = io.BytesIO()
    image.save(buffer, "png", **options)
    return buffer.getvalue()


def outcome(decode, data: bytes) -> tuple[str, object]:
    try:
        label_map = decode(data)
        return "decoded", (label_map.dtype, label_map.shape, label_map.tobytes())
    except UndecodableError as error:
        return "refused", str(error)


@settings(deadline=None)
@given(label_maps)
def test_it_gives_back_what_was_written(label_map: np.ndarray) -> None:
    grey = by_opencv(label_map)
    for data in (grey, with_palette(grey), by_pillow(label_map)):
        decoded = decode_label_fast(data)
        assert decoded.dtype == np.uint8 and np.array_equal(decoded, label_map)


@pytest.mark.parametrize("write", [by_opencv, lambda array: with_palette(by_opencv(array)), by_pillow])
def test_the_plain_form_is_decoded_here(write, monkeypatch: pytest.MonkeyPatch) -> None:
    label_map = np.arange(300, dtype=np.uint8).reshape(20, 15) % 7
    data = write(label_map)
    monkeypatch.setattr(label_png, "decode_label", None)
    assert np.array_equal(decode_label_fast(data), label_map)


def test_pixels_in_several_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    label_map = np.random.default_rng(0).integers(0, 9, (50, 60), dtype=np.uint8)
    data = by_opencv(label_map)
    start = data.index(b"IDAT") - 4
    pixels = data[start + 8 : -16]
    parts = b"".join(chunk(b"IDAT", pixels[at : at + 100]) for at in range(0, len(pixels), 100))
    monkeypatch.setattr(label_png, "decode_label", None)
    assert np.array_equal(decode_label_fast(data[:start] + parts + data[-12:]), label_map)


SMALL = np.arange(48, dtype=np.uint8).reshape(6, 8) % 5
PALETTE_PNG = with_palette(by_opencv(SMALL))
FILES = [PALETTE_PNG, by_opencv(SMALL), by_pillow(SMALL)]


def header(width: int, height: int, pixel_format: bytes) -> bytes:
    return chunk(b"IHDR", struct.pack(">II", width, height) + pixel_format)


START, PIXELS, END = PALETTE_PNG[:8], zlib.compress(bytes(6 * 9)), chunk(b"IEND", b"")
GREY = b"\x08\x00\x00\x00\x00"
BODY = chunk(b"IDAT", PIXELS) + END
ODD_FILES = {
    "empty": b"",
    "text": b"hello",
    "jpeg": cv2.imencode(".jpg", SMALL)[1].tobytes(),
    "without an end": START + header(8, 6, GREY) + chunk(b"IDAT", PIXELS),
    "more after the end": START + header(8, 6, GREY) + BODY + b"more",
    "no pixels": START + header(8, 6, GREY) + END,
    "width 0": START + header(0, 6, GREY) + BODY,
    "too few pixels": START + header(8, 7, GREY) + BODY,
    "too many pixels": START + header(8, 5, GREY) + BODY,
    "wider than its rows": START + header(9, 6, GREY) + BODY,
    "palette without one": START + header(8, 6, b"\x08\x03\x00\x00\x00") + BODY,
    "long palette": START + header(8, 6, b"\x08\x03\x00\x00\x00") + chunk(b"PLTE", bytes(771)) + BODY,
    "odd palette": START + header(8, 6, b"\x08\x03\x00\x00\x00") + chunk(b"PLTE", bytes(7)) + BODY,
    "palette of grey": START + header(8, 6, GREY) + chunk(b"PLTE", bytes(6)) + BODY,
    "16 bits": by_opencv(SMALL.astype(np.uint16)),
    "4 bits": by_pillow(SMALL, bits=4),
    "colour": by_opencv(np.dstack([SMALL] * 3)),
    "interlaced": START + header(8, 6, b"\x08\x00\x00\x00\x01") + BODY,
    "other compression": START + header(8, 6, b"\x08\x00\x01\x00\x00") + BODY,
    "a text": START + header(8, 6, GREY) + chunk(b"tEXt", b"a\0b") + BODY,
    "transparent": by_pillow(SMALL, transparency=1),
    "unknown filter": START + header(8, 6, GREY) + chunk(b"IDAT", zlib.compress(b"\x07" + bytes(53))) + END,
} | {
    f"filter {number}": by_opencv(SMALL, cv2.IMWRITE_PNG_FILTER, getattr(cv2, f"IMWRITE_PNG_FILTER_{name}"))
    for number, name in enumerate(("NONE", "SUB", "UP", "AVG", "PAETH"))
}


@pytest.mark.parametrize("kind", ODD_FILES)
def test_odd_files_fare_as_with_the_careful_decoder(kind: str) -> None:
    data = ODD_FILES[kind]
    assert outcome(decode_label_fast, data) == outcome(decode_label, data)


def test_a_small_file_cannot_grow_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = START + header(8, 6, GREY) + chunk(b"IDAT", zlib.compress(bytes(50_000_000))) + END
    monkeypatch.setattr(label_png, "decode_label", lambda data: "left to the careful decoder")
    assert decode_label_fast(bomb) == "left to the careful decoder"


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(FILES), st.data())
def test_damaged_files_fare_as_with_the_careful_decoder(sound: bytes, data: st.DataObject) -> None:
    changed = bytearray(sound)
    for _ in range(data.draw(st.integers(0, 3))):
        changed[data.draw(st.integers(0, len(sound) - 1))] ^= data.draw(st.integers(1, 255))
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(sound))] * 2)))
    damage = data.draw(st.sampled_from(["none", "cut", "hole", "twice"]))
    pieces = {
        "none": changed,
        "cut": changed[:end],
        "hole": changed[:start] + changed[end:],
        "twice": changed[:end] + changed[start:],
    }
    damaged = bytes(pieces[damage])
    assert outcome(decode_label_fast, damaged) == outcome(decode_label, damaged)


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=80), st.integers(1, 12), st.integers(1, 8), st.sampled_from([0, 3]))
def test_sound_files_of_odd_pixels_fare_alike(
    pixels: bytes, width: int, height: int, color_type: int
) -> None:
    # Every checksum is right here, so that what differs is what the decoders make of the pixels.
    palette = chunk(b"PLTE", bytes(6)) if color_type else b""
    start = START + header(width, height, bytes([8, color_type, 0, 0, 0])) + palette
    for content in (zlib.compress(pixels), zlib.compress(pixels) + b"x", zlib.compress(pixels)[:-1]):
        data = start + chunk(b"IDAT", content) + END
        assert outcome(decode_label_fast, data) == outcome(decode_label, data)
