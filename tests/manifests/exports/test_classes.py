"""Classes are merged, renamed and left out by name; what is wrong is refused in one sentence."""

from pathlib import Path

import numpy as np
import pytest

from manifests.exports.classes import (
    IGNORED,
    ExportClass,
    ExportClasses,
    ExportError,
    default_classes,
    load_classes,
)

PALETTE = {
    "name": "pitch",
    "classes": [
        {"name": "sky", "color": [0, 0, 9]},
        {"name": "environment", "color": [1, 1, 1], "background": True},
        {"name": "ball", "color": [255, 0, 0], "thing": True},
        {"name": "robot", "color": [0, 0, 255], "thing": True},
        {"name": "field", "color": [0, 255, 0]},
        {"name": "unknown", "color": [9, 9, 9], "ignore": True},
    ],
}
EVERY_ID = np.arange(6, dtype=np.uint8)[None]


def load(tmp_path: Path, text: str) -> ExportClasses:
    (tmp_path / "classes.yaml").write_text(text)
    return ExportClasses(load_classes(tmp_path / "classes.yaml"), PALETTE)


def test_by_default_all_but_backgrounds_and_ignored_classes_are_exported() -> None:
    classes = ExportClasses(None, PALETTE)
    assert classes.names == tuple(default_classes(PALETTE)) == ("sky", "ball", "robot", "field")
    assert classes.is_thing == (False, True, True, False)
    assert classes.index_map(EVERY_ID).tolist() == [[1, 0, 2, 3, 4, IGNORED]]
    assert (classes.id_colors[:6] == [entry["color"] for entry in PALETTE["classes"]]).all()
    assert (classes.label_names, classes.label_palette) == (
        ["sky", "environment", "ball", "robot", "field", "unknown"],
        PALETTE,
    )


def test_classes_are_merged_renamed_and_left_out(tmp_path: Path) -> None:
    classes = load(tmp_path, "object: {members: [robot, ball]}\nturf: {members: [field]}")
    assert classes.index_map(EVERY_ID).tolist() == [[0, 0, 1, 1, 2, IGNORED]]
    assert classes.is_thing == (True, False)
    # None has the colour of the background, not that of the first class that was left out.
    assert classes.colors == ((1, 1, 1), (0, 0, 255), (0, 255, 0))
    assert classes.id_colors[:6].tolist() == [
        [1, 1, 1],
        [1, 1, 1],
        [0, 0, 255],
        [0, 0, 255],
        [0, 255, 0],
        [9, 9, 9],
    ]
    assert classes.label_names == ["background", "object", "turf"]
    assert [entry["thing"] for entry in classes.label_palette["classes"]] == [False, True, False]


def test_a_class_is_made_of_its_namesake_and_is_a_thing_if_its_members_are(tmp_path: Path) -> None:
    classes = load(tmp_path, "ball:\nrobot: {thing: false}\nmixed: {members: [sky, field]}\n")
    assert classes.names == ("ball", "robot", "mixed")
    assert classes.is_thing == (True, False, False)
    assert classes.index_map(EVERY_ID).tolist() == [[3, 0, 1, 2, 3, IGNORED]]


def test_backgrounds_and_ignored_classes_are_exported_where_they_are_named(tmp_path: Path) -> None:
    classes = load(
        tmp_path, "background: {members: [environment, unknown]}\nrest: {members: [sky, ball, robot, field]}"
    )
    assert classes.index_map(EVERY_ID).tolist() == [[2, 1, 2, 2, 2, 1]]
    assert not classes.has_none
    assert classes.none_name == "_background"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no classes; a mapping was wanted"),
        ("- ball", "has no classes; a mapping was wanted"),
        ("ball: {members: []}", "ball.members: "),
        ("ball: {members: [ball], things: true}", "ball.things: "),
        ("ball: red", "ball: "),
        ("ball: [", "cannot be read"),
        ("goal: {thing: true}", "There is no class 'goal'; the dataset has sky, environment, ball"),
        ("a: {members: [ball]}\nb: {members: [ball]}", "'ball' is a member of 'a' and of 'b'; name it once"),
    ],
)
def test_a_wrong_class_file_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ExportError, match=sentence):
        load(tmp_path, text)


def test_no_class_and_too_many_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="would have 0 classes; 1 to 254 were wanted"):
        ExportClasses(None, {})
    with pytest.raises(ExportError, match="would have 255 classes"):
        ExportClasses({str(number): ExportClass() for number in range(255)}, PALETTE)
    with pytest.raises(ExportError, match="cannot be read"):
        load_classes(tmp_path / "missing.yaml")
