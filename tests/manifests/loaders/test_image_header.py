"""A header tells the size that a decoder finds, or nothing."""

import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from manifests.decoding import UndecodableError, image_size
from manifests.loaders.image_header import stated_size

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)


def by_opencv(suffix: str, *parameters: int) -> bytes:
    return cv2.imencode(suffix, PIXELS, parameters)[1].tobytes()


def by_pillow(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, kind, **options)
    return buffer.getvalue()


SOUND = [
    by_opencv(".png"),
    by_opencv(".jpg"),
    by_opencv(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 1),
    by_pillow("jpeg", comment=b"a" * 400, exif=Image.Exif(), dpi=(72, 72)),
    by_pillow("png"),
]


@pytest.mark.parametrize("data", SOUND)
def test_the_size_of_a_png_or_jpeg(data: bytes) -> None:
    assert stated_size(data) == image_size(data) == (8, 6)


@pytest.mark.parametrize(
    "data", [b"", b"hello", by_pillow("gif"), b"\xff\xd8", b"\xff\xd8\xff\xff\xff\xff" * 9]
)
def test_others_state_none(data: bytes) -> None:
    assert stated_size(data) is None


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(SOUND), st.integers(0, 60), st.integers(0, 255), st.integers(0, 200))
def test_a_damaged_header_raises_nothing(sound: bytes, position: int, value: int, length: int) -> None:
    damaged = bytearray(sound)
    damaged[position] = value
    size = stated_size(bytes(damaged[: max(length, 60)]))
    assert size is None or min(size) >= 0


def test_what_states_none_is_judged_by_a_decoder() -> None:
    padded = SOUND[1][:2] + b"\xff" + SOUND[1][2:]  # a marker may be led by any number of these
    assert stated_size(padded) is None
    try:
        assert image_size(padded) == (8, 6)
    except UndecodableError as error:
        assert str(error)
