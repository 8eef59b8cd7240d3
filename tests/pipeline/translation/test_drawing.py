"""Single images and frames: their own size, the palette of the snapshot, the noise of generation."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan.device import DeviceError
from gan.snapshot import Snapshot
from gan.translator import Translator
from pipeline.backgrounds import Backgrounds
from pipeline.geometry import CENTERED, view
from pipeline.images import BadImageError, decode_image, read_image, read_label
from pipeline.noise_field import noise_field
from pipeline.palette import Palette, colorize
from pipeline.translation.drawing import Drawing
from pipeline.translation.settings import TranslationError, TranslationSettings

pytestmark = pytest.mark.usefixtures("one_thread")

SHA256 = hashlib.sha256(b"video").hexdigest()


def settings(**changes: object) -> TranslationSettings:
    return TranslationSettings(**{"device": "cpu", "precision": "fp32"} | changes)


def translated(drawing: Drawing, path: Path, *outputs: str) -> list[bytes]:
    names = [Path(name) for name in outputs or ("out.png",)]
    pairs = list(drawing.image_file(path, names))
    assert [output for output, _ in pairs] == names
    return [data for _, data in pairs]


@pytest.mark.parametrize(("height", "width"), [(16, 24), (17, 23), (1, 1), (5, 90)])
def test_both_ways_keep_the_size(
    snapshot: Callable, write_label: Callable, write_photo: Callable, palette: Palette, tmp_path: Path,
    height: int, width: int,
) -> None:  # fmt: skip
    (picture,) = translated(Drawing(snapshot(), settings()), write_label(tmp_path / "a.png", height, width))
    assert decode_image(picture, Path("a")).shape == (height, width, 3)
    photo = write_photo(tmp_path / "b.jpg", height, width)
    (label,) = translated(Drawing(snapshot(), settings(direction="ba")), photo)
    (tmp_path / "label.png").write_bytes(label)
    with Image.open(tmp_path / "label.png") as image:
        assert (image.mode, image.size) == ("P", (width, height))
        ids = np.array(image)
        colors = np.array(image.convert("RGB"))
    assert np.array_equal(colors, colorize(ids, palette))
    assert np.array_equal(read_label(tmp_path / "label.png", palette), ids)
    reads = Translator(Snapshot.from_bytes(snapshot().read_bytes()), device="cpu", precision="fp32")
    assert np.array_equal(ids, reads.read_labels(read_image(photo)[None])[0])


def test_a_rotated_photograph_is_read_upright(snapshot: Callable, palette: Palette, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    photo = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    Image.fromarray(photo).save(tmp_path / "a.jpg", exif=exif)
    (label,) = translated(Drawing(snapshot(), settings(direction="ba")), tmp_path / "a.jpg")
    (tmp_path / "a.png").write_bytes(label)
    assert read_label(tmp_path / "a.png", palette).shape == (24, 16)


def test_a_picture_is_the_one_that_generation_draws(
    snapshot: Callable, write_label: Callable, palette: Palette, tmp_path: Path
) -> None:
    path = write_label(tmp_path / "a.png")
    draws = Translator(Snapshot.from_bytes(snapshot().read_bytes()), device="cpu", precision="fp32")
    label_map, sha256 = read_label(path, palette), hashlib.sha256(path.read_bytes()).hexdigest()
    files = translated(Drawing(snapshot(), settings(seed=3, variants=2)), path, "a.png", "b.png")
    for variant, data in enumerate(files):
        noise = noise_field(sha256, 3, variant, label_map.shape, draws.info.noise.correlation_px)
        wanted = draws.translate(label_map[None], noise[None])[0]
        assert np.array_equal(decode_image(data, path), wanted)
    assert files[0] != files[1]
    assert files != translated(Drawing(snapshot(), settings(seed=4, variants=2)), path, "a.png", "b.png")


def test_the_name_says_the_format(snapshot: Callable, write_label: Callable, tmp_path: Path) -> None:
    path, drawing = write_label(tmp_path / "a.png"), Drawing(snapshot(), settings())
    for name in ("a.jpg", "a.jpeg", "a.JPG"):
        assert translated(drawing, path, name)[0].startswith(b"\xff\xd8")
    for name in ("a.png", "a.PNG"):
        assert translated(drawing, path, name)[0].startswith(b"\x89PNG")


def test_large_images_are_limited_and_not_squashed(
    snapshot: Callable, write_label: Callable, write_photo: Callable, tmp_path: Path
) -> None:
    limit = {"max_side": 30}
    (picture,) = translated(Drawing(snapshot(), settings(**limit)), write_label(tmp_path / "a.png", 40, 60))
    assert decode_image(picture, Path("a")).shape == (20, 30, 3)
    reads = Drawing(snapshot(), settings(direction="ba", **limit))
    (label,) = translated(reads, write_photo(tmp_path / "b.jpg", 60, 40))
    assert decode_image(label, Path("a")).shape == (30, 20, 3)
    (label,) = translated(reads, write_photo(tmp_path / "c.jpg", 17, 23))
    assert decode_image(label, Path("a")).shape == (17, 23, 3)


def test_classes_come_from_the_segmenter_where_there_is_one(
    snapshot: Callable, write_photo: Callable, palette: Palette, tmp_path: Path
) -> None:
    path = snapshot(method="segback", conditioning="onehot")
    (label,) = translated(Drawing(path, settings(direction="ba")), write_photo(tmp_path / "a.jpg"))
    (tmp_path / "a.png").write_bytes(label)
    assert read_label(tmp_path / "a.png", palette).shape == (17, 23)


def test_blended_edges_are_accepted_on_request(snapshot: Callable, palette: Palette, tmp_path: Path) -> None:
    image = np.zeros((16, 24, 3), np.uint8)
    image[:, 12:] = palette.colors[1]
    image[:, 12] = (image[0, 11].astype(int) + image[0, 13]) // 2
    Image.fromarray(image).save(tmp_path / "a.png")
    with pytest.raises(BadImageError, match="16 pixels have 1 colours that palette"):
        translated(Drawing(snapshot(), settings()), tmp_path / "a.png")
    assert translated(Drawing(snapshot(), settings(antialiased_edges=True)), tmp_path / "a.png")


def test_pasted_backgrounds_need_photographs(
    snapshot: Callable, write_label: Callable, write_photo: Callable, palette: Palette, tmp_path: Path
) -> None:
    path = snapshot(background="photo")
    with pytest.raises(
        TranslationError, match="pastes backgrounds from photographs; name a folder .* --photos"
    ):
        Drawing(path, settings())
    with pytest.raises(TranslationError, match="nowhere holds no photographs"):
        Drawing(path, settings(photos=tmp_path / "nowhere"))
    assert Drawing(path, settings(direction="ba"))
    photo = read_image(write_photo(tmp_path / "photos" / "a.jpg", 30, 31))
    label = write_label(tmp_path / "a.png", number=3)
    (picture,) = translated(Drawing(path, settings(photos=tmp_path / "photos")), label)
    is_background = read_label(label, palette) == 0
    assert is_background.any()
    shown = view(photo, CENTERED, width=23, height=17)
    assert np.array_equal(decode_image(picture, label)[is_background], shown[is_background])


def test_a_background_is_the_one_that_generation_pastes(
    snapshot: Callable, write_label: Callable, write_photo: Callable, palette: Palette, tmp_path: Path
) -> None:
    paths = [write_photo(tmp_path / "photos" / f"{number}.jpg", 17, 23, number) for number in range(5)]
    photos = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in paths}
    label = write_label(tmp_path / "a.png", number=3)
    sha256, is_background = hashlib.sha256(label.read_bytes()).hexdigest(), read_label(label, palette) == 0
    drawing = Drawing(snapshot(background="photo"), settings(photos=tmp_path / "photos", seed=3, variants=3))
    pictures = translated(drawing, label, "a.png", "b.png", "c.png")
    for variant, picture in enumerate(pictures):
        photo = read_image(photos[Backgrounds(photos).choose(sha256, 3, variant)])
        assert np.array_equal(decode_image(picture, label)[is_background], photo[is_background])


def test_what_cannot_be_asked_of_a_snapshot_is_a_sentence(snapshot: Callable, tmp_path: Path) -> None:
    with pytest.raises(
        TranslationError, match="method 'cut', which learns no way back from photographs; use"
    ):
        Drawing(snapshot(method="cut"), settings(direction="ba"))
    with pytest.raises(
        TranslationError, match="nowhere cannot be read .No such file or directory.; a file such"
    ):
        Drawing(tmp_path / "nowhere", settings())
    (tmp_path / "bad").write_bytes(b"bad" * 9)
    with pytest.raises(TranslationError, match="bad: This is no usable snapshot"):
        Drawing(tmp_path / "bad", settings())
    with pytest.raises(DeviceError):
        Drawing(snapshot(), settings(device="nonsense"))


def test_too_little_memory_is_the_images_fault(
    snapshot: Callable, write_label: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Translator, "translate", fail)
    with pytest.raises(
        BadImageError, match="a.png: the device has too little memory for its size; limit it by"
    ):
        translated(Drawing(snapshot(), settings()), write_label(tmp_path / "a.png"))


def test_equal_frames_give_equal_frames(snapshot: Callable, label_map: Callable, palette: Palette) -> None:
    """One noise for all frames: a still does not flicker."""
    still, other = (colorize(label_map(number, 17, 23), palette) for number in (0, 1))
    drawing = Drawing(snapshot(), settings(variants=2))
    moments = list(drawing.frames([still, other, still], Path("a.mp4"), SHA256))
    assert [[picture.shape for picture in moment] for moment in moments] == [[(17, 23, 3)] * 2] * 3
    for first, between, last in zip(*moments, strict=True):
        assert np.array_equal(first, last)
        assert not np.array_equal(first, between)
    assert not np.array_equal(*moments[0])


def test_frames_are_read_in_palette_colors(
    snapshot: Callable, noise_frames: Callable, palette: Palette
) -> None:
    drawing = Drawing(snapshot(), settings(direction="ba", max_side=16))
    moments = list(drawing.frames(noise_frames(3), Path("a.mp4"), SHA256))
    assert [moment[0].shape for moment in moments] == [(12, 16, 3)] * 3
    colors = {tuple(color) for color in palette.colors.tolist()}
    assert {tuple(color) for color in moments[0][0].reshape(-1, 3).tolist()} <= colors


def test_a_video_of_other_colors_is_refused(snapshot: Callable) -> None:
    drawing = Drawing(snapshot(), settings())
    grey = np.full((16, 24, 3), 128, np.uint8)
    with pytest.raises(
        BadImageError, match="a.mp4: 100% of its first frame is far from every colour of palette"
    ):
        next(drawing.frames([grey], Path("a.mp4"), SHA256))


def test_a_snapshot_trained_on_renders_draws_from_any_picture(
    snapshot: Callable, write_photo: Callable, tmp_path: Path
) -> None:
    path, photo = snapshot(conditioning="render"), write_photo(tmp_path / "a.jpg")
    drawing = Drawing(path, settings(seed=3, variants=2))
    assert drawing.from_renders and not Drawing(snapshot(), settings()).from_renders
    files = translated(drawing, photo, "a.png", "b.png")
    draws = Translator(Snapshot.from_bytes(path.read_bytes()), device="cpu", precision="fp32")
    render, sha256 = read_image(photo), hashlib.sha256(photo.read_bytes()).hexdigest()
    for variant, data in enumerate(files):
        noise = noise_field(sha256, 3, variant, render.shape[:2], draws.info.noise.correlation_px)
        wanted = draws.translate(None, noise[None], renders=render[None])[0]
        assert np.array_equal(decode_image(data, photo), wanted)
    assert files[0] != files[1]
    frames = [picture for (picture,) in Drawing(path, settings(seed=3)).frames([render], photo, sha256)]
    assert np.array_equal(frames[0], decode_image(files[0], photo))


def test_what_renders_cannot_do_is_a_sentence(snapshot: Callable) -> None:
    kept = snapshot(conditioning="render", background="keep")
    with pytest.raises(TranslationError, match=r"background 'keep'\), and translate takes pictures alone"):
        Drawing(kept, settings())
    with pytest.raises(TranslationError, match="was trained on renders: its way back draws renders"):
        Drawing(kept, settings(direction="ba"))
