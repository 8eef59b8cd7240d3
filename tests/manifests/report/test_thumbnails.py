"""Small pictures show what the files hold, within their bytes."""

import base64
import io
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from manifests.decoding import decode_image, decode_label
from manifests.report import thumbnails
from manifests.report.thumbnails import MAX_IMAGE_BYTES, MAX_LABEL_BYTES, draw_thumbnails, picture_uri
from manifests.storage.folder import FolderStore


def data_of(uri: str) -> bytes:
    return base64.b64decode(uri.partition(",")[2])


def pixels(uri: str) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(data_of(uri))).convert("RGB"))


def draw(root: Path, record: Any, palette: dict) -> thumbnails.Thumbnails:
    return draw_thumbnails(FolderStore(root), asdict(record), palette["classes"])


def test_a_small_sample_is_shown_pixel_for_pixel(tmp_path: Path, write_pair: Callable, palette: dict) -> None:
    record = write_pair(tmp_path, "a")
    drawn = draw(tmp_path, record, palette)
    label_map = decode_label((tmp_path / record.label_file_name).read_bytes())
    colors = np.array([entry["color"] for entry in palette["classes"]])
    assert drawn.fault == ""
    assert (pixels(drawn.label) == colors[label_map]).all()
    assert (pixels(drawn.mask) == 255 * (label_map != 0)[:, :, None]).all()
    picture = decode_image((tmp_path / record.image_file_name).read_bytes())
    assert pixels(drawn.image).shape == picture.shape


def test_a_large_one_is_shrunk_with_its_aspect_and_within_its_bytes(
    tmp_path: Path, write_pair: Callable, palette: dict
) -> None:
    drawn = draw(tmp_path, write_pair(tmp_path, "a", width=900, height=600), palette)  # noise: the worst case
    assert len(data_of(drawn.image)) <= MAX_IMAGE_BYTES and len(data_of(drawn.label)) <= MAX_LABEL_BYTES
    height, width = pixels(drawn.image).shape[:2]
    assert max(height, width) <= 320 and abs(width / height - 1.5) < 0.02
    assert {tuple(color) for color in pixels(drawn.mask).reshape(-1, 3)} == {(0, 0, 0), (255, 255, 255)}


def test_a_calm_picture_keeps_its_colours() -> None:
    picture = np.full((300, 400, 3), (20, 160, 60), np.uint8)
    shown = pixels(picture_uri(picture, MAX_IMAGE_BYTES))
    assert shown.shape == (240, 320, 3) and np.abs(shown.astype(int) - (20, 160, 60)).max() <= 8  # lossy


def test_ids_that_the_palette_does_not_have_are_seen(
    tmp_path: Path, write_pair: Callable, palette: dict
) -> None:
    record = write_pair(tmp_path, "a")
    label = cv2.imencode(".png", np.full((6, 8), 77, np.uint8))[1].tobytes()
    (tmp_path / record.label_file_name).write_bytes(label)
    drawn = draw(tmp_path, record, palette)
    assert (pixels(drawn.label) == (255, 0, 255)).all() and (pixels(drawn.mask) == 255).all()


def test_files_that_cannot_be_shown_are_told(
    tmp_path: Path, write_pair: Callable, make_record: Callable, palette: dict, monkeypatch: Any
) -> None:
    record = write_pair(tmp_path, "a")
    (tmp_path / record.image_file_name).write_bytes(b"no picture")
    (tmp_path / record.label_file_name).unlink()
    drawn = draw(tmp_path, record, palette)
    assert drawn[:3] == ("", "", "")
    assert drawn.fault == "image: it is neither PNG nor JPEG; label: No such file or directory"
    unsafe = make_record("b", image_file_name="../../etc/passwd")
    assert "a path inside the dataset's folder was wanted" in draw(tmp_path, unsafe, palette).fault
    monkeypatch.setattr(thumbnails, "MAX_MEGAPIXELS", 1e-6)
    large = draw(tmp_path, write_pair(tmp_path, "c"), palette)
    assert "image: it has 8x6 px, over" in large.fault and large.image == ""
