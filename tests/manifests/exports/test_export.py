"""Exports are whole or refused, the same bytes each time, and touch nothing that is not theirs."""

import json
from pathlib import Path

import numpy as np
import pytest

from flows.commands_export import FormatName, SplitName
from manifests.exports.classes import ExportClass, ExportError, load_classes
from manifests.exports.export import FORMATS, export
from manifests.manifest import Manifest
from manifests.push import push
from manifests.schema import SPLITS


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_same_dataset_gives_the_same_bytes(published, tmp_path: Path, format_name: str) -> None:
    manifest, steps = published["png"].manifest, []
    export(manifest, tmp_path / "a", format_name, progress=lambda *step: steps.append(step))
    export(manifest, tmp_path / "b", format_name, num_workers=1)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert steps == [(number, 4) for number in range(1, 5)]


def test_the_command_knows_every_format_and_split() -> None:
    assert [entry.value for entry in FormatName] == list(FORMATS)
    assert [entry.value for entry in SplitName] == list(SPLITS)


def test_rejected_rows_are_exported_on_demand(published, tmp_path: Path) -> None:
    report = export(published["png"].manifest, tmp_path / "all", "cyclegan", accepted_only=False)
    assert report["rows_per_split"] == {"train": 3, "val": 1, "test": 1}


def test_an_object_store_is_exported_like_a_folder(published, bucket: str, tmp_path: Path) -> None:
    push(published["png"].manifest.store, bucket + "/dataset")
    export(Manifest.open(bucket + "/dataset"), tmp_path / "objects", "coco")
    export(published["png"].manifest, tmp_path / "folder", "coco")
    found, wanted = files(tmp_path / "objects"), files(tmp_path / "folder")
    assert found.pop("export.json") != wanted.pop("export.json")  # it says where from
    assert found == wanted


def test_only_an_earlier_export_is_replaced(published, tmp_path: Path) -> None:
    manifest, folder = published["png"].manifest, tmp_path / "out"
    folder.mkdir()
    (folder / "thesis.pdf").write_bytes(b"mine")
    with pytest.raises(ExportError, match="holds files that are no export; choose another folder"):
        export(manifest, folder, "coco", overwrite=True)
    (folder / "thesis.pdf").unlink()
    export(manifest, folder, "coco")
    with pytest.raises(ExportError, match="holds an export as coco; choose another folder, or --overwrite"):
        export(manifest, folder, "coco")
    with pytest.raises(ExportError, match=r"holds an export as coco; choose another folder\."):
        export(manifest, folder, "yolo", overwrite=True)
    (folder / "images/train/old.png").write_bytes(b"")
    export(manifest, folder, "coco", overwrite=True)
    assert not (folder / "images/train/old.png").exists()


def test_nothing_to_export_is_refused(published, tmp_path: Path) -> None:
    manifest = published["png"].manifest
    empty = Manifest(manifest.store, manifest.version, manifest.table.slice(0, 0))
    with pytest.raises(ExportError, match="has no accepted row in train, val, test"):
        export(empty, tmp_path / "out", "coco")
    assert not (tmp_path / "out").exists()


def test_classes_are_merged_renamed_and_left_out(published, tmp_path: Path) -> None:
    path = tmp_path / "classes.yaml"
    path.write_text("object: {members: [robot, ball], thing: true}\npitch: {members: [field]}\n")
    folder = tmp_path / "out"
    report = export(published["png"].manifest, folder, "coco-panoptic", classes=load_classes(path))
    assert report["classes"] == ["object", "pitch"]
    found = json.loads((folder / "annotations/panoptic_val.json").read_text())
    assert [category["color"] for category in found["categories"]] == [[0, 0, 255], [0, 255, 0]]
    [annotation] = found["annotations"]
    areas = {1: 0, 2: 0}
    for segment in annotation["segments_info"]:
        areas[segment["category_id"]] += segment["area"]
    [record] = [record for record in published["png"].records if record.split == "val"]
    label_map = published["png"].label_maps[record.sample_id]
    assert areas == {1: int(np.isin(label_map, (2, 3)).sum()), 2: int((label_map == 1).sum())}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no classes; a mapping was wanted"),
        ("- ball", "has no classes; a mapping was wanted"),
        ("ball: {members: []}", "ball.members: "),
        ("ball: {members: [ball], things: true}", "ball.things: "),
        ("ball: [", "cannot be read"),
    ],
)
def test_a_wrong_class_file_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "classes.yaml").write_text(text)
    with pytest.raises(ExportError, match=sentence):
        load_classes(tmp_path / "classes.yaml")


def test_classes_must_be_those_of_the_dataset(published, tmp_path: Path) -> None:
    manifest = published["png"].manifest
    for classes, sentence in (
        (
            {"ball": ExportClass(members=("bal",))},
            "There is no class 'bal'; the dataset has environment,",
        ),
        (
            {"a": ExportClass(members=("ball",)), "b": ExportClass(members=("ball",))},
            "'ball' is a member of 'a' and of 'b'",
        ),
    ):
        with pytest.raises(ExportError, match=sentence):
            export(manifest, tmp_path / "out", "coco", classes=classes)
