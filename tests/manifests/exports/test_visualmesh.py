"""Our own reader of VisualMesh's files gets labels and cameras back; the camera is that of the image."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from manifests.decoding import decode_image
from manifests.exports.classes import ExportClass, ExportError
from manifests.exports.export import export
from manifests.exports.visualmesh import why_no_lens
from manifests.manifest import Manifest
from pipeline.config import SourcesConfig
from pipeline.palette import Palette
from pipeline.prepare import prepare


def test_visualmesh_is_read_back(write: Callable, dataset, tmp_path: Path) -> None:
    folder, report = write("visualmesh")
    assert report["skipped"] == {"rejected by the quality gates": 1, "no camera": 1}
    assert report["images"] == 3 and report["images_per_split"] == {"train": 1, "val": 1, "test": 1}
    for split in ("train", "val", "test"):
        lens = yaml.safe_load((folder / split / "lens0000000.yaml").read_text())
        found = prepare(
            SourcesConfig(labels=(folder / split,)),
            Palette.model_validate(dataset.manifest.palette),
            cache=tmp_path / f"{split}.json",
            quarantine=tmp_path / "bad",
            needs_photos=False,
        )
        [record] = found.records
        assert json.loads(record.camera) == lens
        with (folder / split / "samples.csv").open() as file:
            [row] = csv.DictReader(file)
        wanted = next(r for r in dataset.records if r.sample_id == row["sample_id"])
        assert (wanted.split, row["number"]) == (split, "0000000")
        assert record.class_pixel_counts == wanted.class_pixel_counts
        # The format's own tool finds JPEG images only.
        image = decode_image((folder / split / "image0000000.jpg").read_bytes())
        difference = np.abs(image.astype(int) - dataset.images[wanted.sample_id])
        is_jpeg = wanted.image_file_name.endswith(".jpg")
        assert difference.max() == 0 if is_jpeg else difference.mean() < 2


def test_a_camera_of_a_larger_picture_is_brought_to_the_images_size(write: Callable, dataset) -> None:
    camera = json.loads(next(record.camera for record in dataset.records if record.camera))
    assert camera["dimensions"] == [96, 64]
    folder, _ = write("visualmesh", splits=["val"])
    lens = yaml.safe_load((folder / "val/lens0000000.yaml").read_text())
    assert lens["dimensions"] == [48, 32]
    assert (lens["focal_length"], lens["centre"]) == (10.0, [1.0, 0.5])
    assert (lens["fov"], lens["Hoc"]) == (camera["fov"], camera["Hoc"])
    # A radius in px is undistorted to half of what it was at twice the size.
    for radius in (5.0, 40.0):
        ideal = radius * (1 + camera["k"][0] * radius**2 + camera["k"][1] * radius**4)
        small = radius / 2
        assert small * (1 + lens["k"][0] * small**2 + lens["k"][1] * small**4) == pytest.approx(ideal / 2)


def test_masks_have_the_colours_of_merged_classes(write: Callable, dataset) -> None:
    classes = {"object": ExportClass(members=("robot", "ball")), "field": ExportClass()}
    folder, _ = write("visualmesh", classes=classes, splits=["val"])
    mask = decode_image((folder / "val/mask0000000.png").read_bytes())
    [record] = [record for record in dataset.records if record.split == "val"]
    colors = np.array([(0, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 255), (9, 9, 9)])
    assert (mask == colors[dataset.label_maps[record.sample_id]]).all()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"dimensions": [48, 32]}, None),
        ({"dimensions": [49, 33]}, None),
        ({"dimensions": [48, 48]}, "a camera of another aspect ratio than the image"),
        ({"fov": None}, "a camera with no usable fov"),
        ({"projection": "PINHOLE"}, "a camera with no usable projection"),
        ({"focal_length": 0, "Hoc": [1]}, "a camera with no usable focal_length, Hoc"),
    ],
)
def test_an_unusable_camera_has_a_reason(dataset, changes: dict, reason: str | None) -> None:
    record = dataset.records[0]
    camera = json.dumps(json.loads(record.camera) | changes)
    assert why_no_lens(replace(record, camera=camera)) == reason


def test_a_camera_of_another_kind_has_a_reason(dataset) -> None:
    record = dataset.records[0]
    assert why_no_lens(replace(record, camera=None)) == "no camera"
    assert why_no_lens(replace(record, camera="[1]")) == "a camera that is no mapping"
    other = replace(record, camera='{"lens": {"fov": 1.0}, "projection": "EQUISOLID"}')
    assert why_no_lens(other) == "a camera without focal_length, fov, Hoc"


def test_a_camera_without_a_size_is_taken_for_the_images_and_counted(
    make_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    camera = {"projection": "EQUISOLID", "focal_length": 30, "fov": 2, "Hoc": np.eye(4).tolist()}
    manifest = Manifest.open(make_dataset("png", camera))
    report = export(manifest, tmp_path / "out", "visualmesh")
    assert report["cameras_without_dimensions_taken_to_be_of_the_image"] == 3
    lens = yaml.safe_load((tmp_path / "out/val/lens0000000.yaml").read_text())
    assert lens == camera | {"centre": [0.0, 0.0], "k": [0.0, 0.0]}


def test_a_dataset_without_any_camera_is_refused(make_dataset: Callable[..., Path], tmp_path: Path) -> None:
    root = make_dataset("png", None)
    with pytest.raises(ExportError, match=r"No row can be exported as visualmesh \(.*4 rows: no camera\)"):
        export(Manifest.open(root), tmp_path / "out", "visualmesh")
    assert not (tmp_path / "out").exists()
