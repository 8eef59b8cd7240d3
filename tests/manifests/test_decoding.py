"""Decoding: ids survive, damage is refused."""

import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from manifests.decoding import UndecodableError, decode_image, decode_label, image_size

LABEL_MAP = np.arange(48, dtype=np.uint8).reshape(6, 8) % 5


def label_png(mode: str = "P") -> bytes:
    image = Image.fromarray(LABEL_MAP)
    if mode == "P":
        image.putpalette([7 * channel for channel in range(15)])
    buffer = io.BytesIO()
    (image if mode in "PL" else image.convert(mode)).save(buffer, "png")
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["P", "L"])
def test_a_label_keeps_its_ids(mode: str) -> None:
    decoded = decode_label(label_png(mode))
    assert decoded.dtype == np.uint8 and np.array_equal(decoded, LABEL_MAP)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "1", "I;16"])
def test_a_label_that_has_no_ids_is_refused(mode: str) -> None:
    with pytest.raises(UndecodableError, match="its mode is"):
        decode_label(label_png(mode))


def test_an_image_is_rgb() -> None:
    pixels = np.zeros((6, 8, 3), np.uint8)
    pixels[..., 0] = 200
    data = cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()
    assert np.array_equal(decode_image(data), pixels)
    assert image_size(data) == (8, 6)
    assert image_size(cv2.imencode(".jpg", pixels)[1].tobytes()) == (8, 6)


@pytest.mark.parametrize("data", [b"", b"hello", label_png()[:40], label_png()[:-30]])
@pytest.mark.parametrize("decode", [decode_image, decode_label])
def test_damage_is_refused(data: bytes, decode) -> None:
    with pytest.raises(UndecodableError):
        decode(data)


@settings(deadline=None, max_examples=300)
@given(st.integers(8, len(label_png()) - 1), st.integers(1, 255), st.booleans())
def test_a_changed_byte_never_raises_anything_else(position: int, change: int, cut: bool) -> None:
    data = bytearray(label_png())
    data[position] ^= change
    for decode in (image_size, decode_label):
        try:
            decode(bytes(data[:position] if cut else data))
        except UndecodableError as error:
            assert str(error)
