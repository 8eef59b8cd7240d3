import logging
import os
import pickle
import struct
import unicodedata
import warnings
import zlib
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline.images import (
    BadImageError,
    encode_jpeg,
    encode_label_png,
    encode_png,
    read_image,
    read_label,
    write_file,
)
from pipeline.palette import Palette, PaletteClass, colorize

COLORS = [(0, 0, 0), (255, 0, 0), (255, 255, 0), (0, 0, 255), (0, 255, 0), (255, 255, 255)]
PALETTE = Palette(name="p", classes=tuple(PaletteClass(name=f"c{i}", color=c) for i, c in enumerate(COLORS)))
LABEL = np.random.default_rng(1).integers(0, 6, (12, 17), dtype=np.uint8)
RGB = colorize(LABEL, PALETTE)


def picture(height: int = 48, width: int = 64) -> np.ndarray:
    """A smooth uint8 [H, W, 3] whose corners differ."""
    y, x = np.mgrid[:height, :width]
    image = np.stack([x * 255 // width, y * 255 // height, np.full_like(x, 90)], axis=2)
    return image.astype(np.uint8)


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def reason(path: Path, **options: float) -> str:
    with pytest.raises(BadImageError) as caught:
        read_image(path, **options)
    assert caught.value.path == path and str(path) in str(caught.value)
    return caught.value.reason


def test_png_round_trip_is_exact(tmp_path: Path) -> None:
    write_file(tmp_path / "deep" / "a.png", encode_png(RGB))
    assert np.array_equal(read_image(tmp_path / "deep" / "a.png"), RGB)


def test_jpeg_keeps_the_order_of_channels(tmp_path: Path) -> None:
    image = picture()
    write_file(tmp_path / "a.jpg", encode_jpeg(image, 95))
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - image).mean() < 3


def test_every_way_to_store_a_label_gives_the_same_ids(tmp_path: Path) -> None:
    indexed = Image.fromarray(LABEL)
    indexed.putpalette(bytes(sum(COLORS, ())))
    shuffled = Image.fromarray(5 - LABEL)
    shuffled.putpalette(bytes(sum(COLORS[::-1], ())))
    ramp = Image.fromarray(LABEL)
    ramp.putpalette(bytes(v for i in range(256) for v in (i, i, i)))
    opaque = np.dstack([RGB, np.full(LABEL.shape, 255, np.uint8)])
    ways = {
        "palette": indexed,
        "shuffled": shuffled,
        "ramp": ramp,
        "index": Image.fromarray(LABEL),
        "rgb": Image.fromarray(RGB),
        "rgba": Image.fromarray(opaque),
        "grey_alpha": Image.fromarray(np.dstack([LABEL, opaque[..., 3]])),
    }
    for name, image in ways.items():
        path = saved(tmp_path / f"{name}.png", image)
        assert np.array_equal(read_label(path, PALETTE), LABEL), name
    for suffix in ("bmp", "webp", "tiff"):
        path = saved(tmp_path / f"rgb.{suffix}", Image.fromarray(RGB), lossless=True)
        assert np.array_equal(read_label(path, PALETTE), LABEL), suffix


def test_a_palette_with_codes_reads_ade20k_and_the_projects_own_labels(tmp_path: Path) -> None:
    coded = tuple(c.model_copy(update={"codes": (300 * i,)}) for i, c in enumerate(PALETTE.classes))
    palette = PALETTE.model_copy(update={"classes": coded})
    codes, instances = 300 * LABEL.astype(int), np.arange(LABEL.size).reshape(LABEL.shape)
    ade20k = np.stack([codes // 256 * 10, codes % 256, instances % 256], axis=-1).astype(np.uint8)
    path = saved(tmp_path / "a_seg.png", Image.fromarray(ade20k))
    assert np.array_equal(read_label(path, palette), LABEL)
    write_file(path, encode_label_png(LABEL, palette))
    assert np.array_equal(read_label(path, palette), LABEL)


def test_label_png_shows_colours_and_keeps_ids(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_file(path, encode_label_png(LABEL, PALETTE))
    with Image.open(path) as image:
        assert image.mode == "P"
        assert np.array_equal(np.array(image), LABEL)
        assert np.array_equal(np.array(image.convert("RGB")), RGB)
    assert np.array_equal(cv2.imread(str(path))[..., ::-1], RGB)
    assert np.array_equal(read_label(path, PALETTE), LABEL)


def test_label_png_refuses_an_id_outside_the_palette() -> None:
    with pytest.raises(ValueError, match="class id 6"):
        encode_label_png(np.full((2, 2), 6, np.uint8), PALETTE)


def test_a_palette_label_with_a_single_black_entry_is_read_by_colour(tmp_path: Path) -> None:
    palette = Palette(name="p", classes=PALETTE.classes[::-1])
    image = Image.fromarray(np.zeros((4, 4), np.uint8))
    image.putpalette(bytes((0, 0, 0)))
    assert (read_label(saved(tmp_path / "a.png", image), palette) == 5).all()


def test_grey_and_one_bit_labels_hold_grey_colours_when_no_ids(tmp_path: Path) -> None:
    values = np.where(LABEL > 2, 255, 0).astype(np.uint8)
    wanted = np.where(LABEL > 2, 5, 0)
    grey = saved(tmp_path / "grey.png", Image.fromarray(values))
    one_bit = saved(tmp_path / "bit.png", Image.fromarray(values).convert("1"))
    assert np.array_equal(read_label(grey, PALETTE), wanted)
    assert np.array_equal(read_label(one_bit, PALETTE), wanted)


def test_a_foreign_colour_is_named_with_file_and_count(tmp_path: Path) -> None:
    image = RGB.copy()
    image[0, :3] = (7, 8, 9)
    path = saved(tmp_path / "a.png", Image.fromarray(image))
    with pytest.raises(BadImageError, match=r"a\.png: 3 pixels have 1 colours .* \(7, 8, 9\) x 3"):
        read_label(path, PALETTE)


def test_labels_are_never_read_from_jpeg(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(RGB), format="JPEG")
    with pytest.raises(BadImageError, match="is a JPEG"):
        read_label(path, PALETTE)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied_once(tmp_path: Path, suffix: str, orientation: int) -> None:
    upright = picture()
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = Image.fromarray(upright)
    if orientation > 1:
        stored = stored.transpose(undo[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95} if suffix == "jpg" else {"lossless": True}
    read = read_image(saved(tmp_path / f"a.{suffix}", stored, exif=exif, **options))
    assert read.shape == upright.shape
    assert np.abs(read.astype(int) - upright).mean() < 4


def test_exif_rotation_turns_a_label_as_it_turns_a_photograph(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "a.png", Image.fromarray(RGB), exif=exif)
    assert np.array_equal(colorize(read_label(path, PALETTE), PALETTE), read_image(path))


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA"])
def test_odd_but_honest_pictures_become_rgb(tmp_path: Path, mode: str) -> None:
    black_and_white = Image.fromarray(np.where(LABEL > 2, 255, 0).astype(np.uint8))
    image = read_image(saved(tmp_path / "a.png", black_and_white.convert(mode)))
    assert np.array_equal(image, np.array(black_and_white.convert("RGB")))


def test_cmyk_is_converted_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = saved(tmp_path / "a.jpg", Image.fromarray(picture()).convert("CMYK"), quality=95)
    with caplog.at_level(logging.WARNING):
        image = read_image(path)
    assert np.abs(image.astype(int) - picture()).mean() < 4
    assert f"{path} is CMYK" in caplog.text


def test_any_file_name_will_do(tmp_path: Path) -> None:
    for name in ("a b", "日本⚽", "new\nline", unicodedata.normalize("NFD", "é"), "x" * 251):
        path = tmp_path / f"{name}.png"
        path.write_bytes(encode_png(RGB))
        assert np.array_equal(read_image(path), RGB)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp"])
def test_truncated_files_are_refused_at_any_length(tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path / f"a.{suffix}", Image.fromarray(picture()))
    data = path.read_bytes()
    for share in (0.02, 0.1, 0.5, 0.9, 0.99):
        path.write_bytes(data[: int(len(data) * share)])
        assert reason(path)


def test_a_jpeg_cut_inside_its_pixels_is_refused_even_with_a_thumbnail(tmp_path: Path) -> None:
    thumbnail = encode_jpeg(picture(8, 8), 50)
    body = encode_jpeg(picture(), 90)
    exif = struct.pack(">BBH", 0xFF, 0xE1, len(thumbnail) + 2) + thumbnail
    data = body[:2] + exif + body[2:]
    path = tmp_path / "a.jpg"
    path.write_bytes(data + b"appended by a camera")
    assert read_image(path).shape == (48, 64, 3)
    path.write_bytes(data[:-20])
    assert "cut short" in reason(path)


def test_one_flipped_byte_in_a_png_is_found(tmp_path: Path) -> None:
    data = encode_png(picture())
    path = tmp_path / "a.png"
    for position in range(8, len(data), max(1, len(data) // 60)):
        path.write_bytes(data[:position] + bytes([data[position] ^ 0x10]) + data[position + 1 :])
        assert reason(path)
        with pytest.raises(BadImageError):
            read_label(path, PALETTE)


def test_damaged_files_never_end_in_another_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for suffix, data in (("jpg", encode_jpeg(picture(), 80)), ("png", encode_png(picture()))):
        path = tmp_path / f"a.{suffix}"
        for _ in range(150):
            mutant = bytearray(data)
            for position in rng.integers(0, len(data), 3):
                mutant[position] = rng.integers(256)
            path.write_bytes(mutant)
            with suppress(BadImageError):
                assert read_image(path).ndim == 3


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "folder.png").mkdir()
    os.symlink("loop.png", tmp_path / "loop.png")
    assert "empty" in reason(tmp_path / "empty.png")
    assert "no image" in reason(tmp_path / "text.png")
    assert "directory" in reason(tmp_path / "folder.png")
    assert "symbolic links" in reason(tmp_path / "loop.png")
    assert "No such file" in reason(tmp_path / "gone.png")


def test_a_png_without_its_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encode_png(RGB)[:-12])
    assert "no IEND" in reason(path)


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_are_refused(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "a.png"
    shape = (4, 5) if channels == 1 else (4, 5, 3)
    path.write_bytes(cv2.imencode(".png", np.full(shape, 5000, np.uint16))[1].tobytes())
    assert "16 bits" in reason(path)
    with pytest.raises(BadImageError, match="16 bits"):
        read_label(path, PALETTE)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_refused(tmp_path: Path, mode: str) -> None:
    alpha = Image.fromarray(RGB).convert("RGBA")
    alpha.putpixel((3, 2), (255, 0, 0, 128 if mode != "P" else 0))
    path = saved(tmp_path / "a.png", alpha.convert(mode) if mode != "P" else alpha.quantize(8))
    assert "transparent" in reason(path)
    with pytest.raises(BadImageError, match="transparent"):
        read_label(path, PALETTE)


@pytest.mark.parametrize("suffix", ["png", "gif", "webp"])
def test_animations_are_refused(tmp_path: Path, suffix: str) -> None:
    frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    path = saved(tmp_path / f"a.{suffix}", frames[0], save_all=True, append_images=frames[1:])
    assert "animated" in reason(path)


def test_large_pictures_are_refused_on_their_header(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n"
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")):
        bomb += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb)
    assert "3600.0 MPix, over the limit of 64" in reason(path)
    for suffix in ("png", "jpg", "bmp"):
        path = saved(tmp_path / f"a.{suffix}", Image.fromarray(picture()))
        assert "over the limit" in reason(path, max_megapixels=0.001)
        assert read_image(path, max_megapixels=0.01).shape == (48, 64, 3)


def test_a_bomb_in_another_format_raises_nothing_but_our_error(tmp_path: Path) -> None:
    header = bytearray(saved(tmp_path / "a.bmp", Image.fromarray(RGB)).read_bytes())
    header[18:26] = struct.pack("<ii", 15_000, 8_000)
    path = tmp_path / "bomb.bmp"
    path.write_bytes(header)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert "over the limit" in reason(path)


def test_one_pixel_is_an_image(tmp_path: Path) -> None:
    for suffix in ("png", "jpg"):
        path = saved(tmp_path / f"a.{suffix}", Image.fromarray(np.zeros((1, 1, 3), np.uint8)))
        assert read_image(path).shape == (1, 1, 3)


def test_the_error_survives_a_process_boundary() -> None:
    error = pickle.loads(pickle.dumps(BadImageError(Path("a.png"), "the file is empty")))
    assert str(error) == "a.png: the file is empty."
