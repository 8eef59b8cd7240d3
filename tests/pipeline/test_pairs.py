"""Pairs: every label has the photograph of its stem and shape, or training does not begin."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.config import ConfigError
from pipeline.pairs import photos_of_labels


def image(path: Path, width: int, height: int) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(path)
    return path


@pytest.fixture
def labels(tmp_path: Path) -> list[Path]:
    return [image(tmp_path / "a" / f"{stem}.png", 64, 48) for stem in ("one", "two", "three")]


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    return [image(tmp_path / "b" / f"{stem}.jpg", 32, 24) for stem in ("three", "other", "two", "one")]


def test_each_label_gets_the_photograph_of_its_stem(labels: list[Path], photos: list[Path]) -> None:
    assert photos_of_labels(labels, photos) == [photos[3], photos[2], photos[0]]


def test_ade20k_labels_end_in_seg(labels: list[Path], photos: list[Path]) -> None:
    renamed = [label.rename(label.with_stem(f"{label.stem}_seg")) for label in labels]
    assert photos_of_labels(renamed, photos) == [photos[3], photos[2], photos[0]]


def test_labels_without_a_photograph_are_counted(labels: list[Path], photos: list[Path]) -> None:
    with pytest.raises(ConfigError, match=r"2 of 3 stems .* one .*[^.]\.$"):
        photos_of_labels(labels, photos[:2])


def test_a_stem_that_stands_for_several_files_is_refused(
    tmp_path: Path, labels: list[Path], photos: list[Path]
) -> None:
    again = image(tmp_path / "c" / "two.png", 64, 48)
    with pytest.raises(ConfigError, match="1 stems stand for more than one photograph, the first being two;"):
        photos_of_labels(labels, [*photos, again])
    with pytest.raises(ConfigError, match="1 stems stand for more than one label, the first being two;"):
        photos_of_labels([*labels, again], photos)
    # A stem that no label has may stand for as many as it likes.
    photos_of_labels(labels, [*photos, image(tmp_path / "c" / "other.png", 64, 48)])


@pytest.mark.parametrize(("width", "height"), [(64, 48), (128, 96), (127, 96), (33, 24), (1280, 960)])
def test_a_pair_may_differ_in_resolution(labels: list[Path], tmp_path: Path, width: int, height: int) -> None:
    photo = image(tmp_path / "b" / "one.png", width, height)
    assert photos_of_labels(labels[:1], [photo]) == [photo]


@pytest.mark.parametrize(("width", "height"), [(48, 64), (64, 64), (128, 90), (36, 24)])
def test_a_pair_may_not_differ_in_aspect(labels: list[Path], tmp_path: Path, width: int, height: int) -> None:
    photo = image(tmp_path / "b" / "one.png", width, height)
    with pytest.raises(ConfigError, match=rf"1 of 1 pairs .* 64 x 48 px .* {width} x {height}"):
        photos_of_labels(labels[:1], [photo])


def test_a_photograph_counts_as_it_stands_upright(labels: list[Path], tmp_path: Path) -> None:
    turned = tmp_path / "one.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((64, 48, 3), np.uint8)).save(turned, exif=exif)
    assert photos_of_labels(labels[:1], [turned]) == [turned]
