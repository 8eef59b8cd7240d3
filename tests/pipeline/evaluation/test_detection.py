"""Boxes: of patches, of people, and how well they agree."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.config import ConfigError
from pipeline.evaluation.boxes import NamedBox, boxes_in_px, find_boxes, overlaps, read_boxes
from pipeline.evaluation.detection import count_matches, detect
from pipeline.evaluation.results import DetectionScores
from pipeline.palette import Palette, colorize


class ColorReader:
    """Stands in for a judge: answers the class whose colour a pixel has."""

    def __init__(self, palette: Palette):
        self.colors = palette.colors.astype(int)

    def read(self, images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        rows, columns = (np.arange(n) * s // n for n, s in zip(size, images.shape[1:3], strict=True))
        near = np.abs(images[:, rows][:, :, columns, None].astype(int) - self.colors).sum(-1)
        return near.argmin(-1).astype(np.uint8)


class Blind:
    """Stands in for a judge: finds nothing."""

    def read(self, images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        return np.zeros((len(images), *size), np.uint8)


def test_a_patch_has_a_box_and_specks_have_none() -> None:
    class_map = np.zeros((200, 300), np.uint8)
    class_map[20:40, 30:70] = 1
    class_map[100:110, 200:205] = 1
    class_map[150, 150] = 1
    class_map[60:70, 60:70] = 2
    assert find_boxes(class_map, 1).tolist() == [[30, 20, 70, 40], [200, 100, 205, 110]]
    assert find_boxes(class_map, 3).shape == (0, 4)


def test_boxes_of_people_are_relative_to_the_photograph() -> None:
    boxes = [NamedBox("ball", 0.5, 0.25, 0.1, 0.5), NamedBox("human", 0.1, 0.1, 0.1, 0.1)]
    np.testing.assert_allclose(boxes_in_px(boxes, "ball", (200, 100)), [[90, 0, 110, 50]])
    assert boxes_in_px(boxes, "robot", (200, 100)).shape == (0, 4)


def test_overlaps_by_hand() -> None:
    one = np.array([[0, 0, 10, 10.0]])
    other = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [0, 0, 5, 5.0]])
    np.testing.assert_allclose(overlaps(one, other), [[1, 1 / 3, 0, 1 / 4]])


def test_each_wanted_box_is_found_once() -> None:
    wanted = np.array([[0, 0, 10, 10], [100, 0, 110, 10.0]])
    twice = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 1, 10, 10.0]])
    assert count_matches(twice, wanted, 0.5) == 1
    assert count_matches(wanted[::-1], wanted, 1.0) == 2
    assert count_matches(wanted[:0], wanted, 0.5) == count_matches(wanted, wanted[:0], 0.5) == 0


def test_what_is_read_is_compared_with_what_was_drawn(palette: Palette) -> None:
    """Two balls are shown and wanted, a third is wanted only; one patch is nobody's; other classes are left
    out. The photograph is read at half its size and answered at its own."""
    label = np.zeros((96, 128), np.uint8)
    for top, left in ((8, 16), (40, 64), (72, 100)):
        label[top : top + 16, left : left + 16] = 1
    boxes = {
        "a": [
            NamedBox("ball", 24 / 128, 16 / 96, 16 / 128, 16 / 96),
            NamedBox("ball", 74 / 128, 48 / 96, 16 / 128, 16 / 96),  # shifted by 2 px
            NamedBox("ball", 0.9, 0.1, 0.1, 0.1),
            NamedBox("human", 0.5, 0.5, 0.5, 0.5),
        ]
    }
    found = detect(
        [ColorReader(palette), ColorReader(palette), Blind()],
        [Path("a.png")],
        boxes,
        {"ball": "ball", "human": "person", "obstacle": "grass"},
        palette,
        judged_size=(64, 48),
        read=lambda path: colorize(label, palette),
    )
    assert set(found) == {"ball"}
    apart = pytest.approx(np.std([2 / 3, 2 / 3, 0], ddof=1))
    assert found["ball"]["0.5"] == DetectionScores(
        num_wanted=3,
        num_found=2,
        precision=pytest.approx(2 / 3),  # one judge found nothing
        precision_sd=pytest.approx(0),
        recall=pytest.approx(4 / 9),
        recall_sd=apart,
        f1=pytest.approx(4 / 9),
        f1_sd=apart,
    )


def test_a_file_of_boxes_is_read_or_refused(tmp_path: Path) -> None:
    write: Callable[[str], int] = (tmp_path / "boxes.json").write_text
    assert read_boxes([tmp_path]) == {}
    write(json.dumps({"a": [["ball", 0.5, 0.5, 0.1, 0.1]], "b": []}))
    assert read_boxes([tmp_path, tmp_path / "none"]) == {
        "a": (NamedBox("ball", 0.5, 0.5, 0.1, 0.1),),
        "b": (),
    }
    for text in (
        "[]",
        '{"a": 3}',
        '{"a": [["ball", 1]]}',
        '{"a": [["ball", 1, 2, 3, "x"]]}',
        "{",
        '{"a": [[]]}',
    ):
        write(text)
        with pytest.raises(ConfigError, match="boxes.json"):
            read_boxes([tmp_path])
