"""export, on the command line."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from manifests.commit import commit
from manifests.schema import SCHEMA, SampleRecord, to_table

PALETTE = {
    "name": "pitch",
    "classes": [
        {"name": "environment", "color": [0, 0, 0], "background": True},
        {"name": "ball", "color": [255, 0, 0], "thing": True},
    ],
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One sample with a ball."""
    root = tmp_path / "dataset"
    numbers = dict.fromkeys(("image_bytes", "label_bytes", "seed", "variant"), 1)
    values = {field.name: "x" for field in SCHEMA} | numbers
    own = {"sample_id": "only", "class_pixel_counts": (96, 4), "width": 10, "height": 10}
    files = {"image_file_name": "images/only.png", "label_file_name": "labels/only.png"}
    label = np.zeros((10, 10), np.uint8)
    label[2:4, 5:7] = 1
    for name, pixels in (("images", np.zeros((10, 10, 3), np.uint8)), ("labels", label)):
        (root / name).mkdir(parents=True)
        (root / name / "only.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    rest = {"mask_coverage": 0.5, "accepted": True, "split": "train", "camera": None, "reject_reason": None}
    commit(root, to_table([SampleRecord(**values | own | files | rest)], palette=PALETTE))
    return root


def test_a_dataset_is_exported(seg2real: Callable, root: Path, tmp_path: Path) -> None:
    said = seg2real("export", root, tmp_path / "out", "--to", "yolo", "--split", "train")
    assert (said.code, "1 images as yolo" in said.out) == (0, True)
    lines = {line[:34].strip(): line[35:] for line in said.out.splitlines()}
    assert (
        lines["polygon iou of ball"] == lines["polygon iou overall"] == "mean 1.0000, worst 1.0000, masks 1"
    )
    assert (lines["images"], lines["images per split"], lines["things"]) == ("1", "train 1", "ball")
    assert (lines["instances"], lines["skipped"]) == ("ball 1", "none")
    assert (tmp_path / "out/labels/train/only.txt").read_text().startswith("0 0.55")
    said = seg2real("export", root, tmp_path / "out", "--to", "yolo")
    assert (said.code, "choose another folder, or --overwrite" in said.err) == (2, True)
    said = seg2real("export", root, tmp_path / "out", "--to", "yolo", "--overwrite", "--min-area", 5)
    lines = {line[:34].strip(): line[35:] for line in said.out.splitlines()}
    assert (said.code, lines["instances"], lines["too small for instances"]) == (0, "ball 0", "ball 1")


def test_wrong_arguments_are_sentences(seg2real: Callable, root: Path, tmp_path: Path) -> None:
    (tmp_path / "classes.yaml").write_text("goal: {members: [goal]}")
    for arguments, sentence in (
        (["--to", "coco", "--split", "val"], "has no accepted row in val; nothing was exported"),
        (["--to", "coco", "--classes", tmp_path / "classes.yaml"], "There is no class 'goal'"),
        (["--to", "visualmesh"], "No row can be exported as visualmesh (1 rows: no camera)"),
        (["--to", "voc", "--min-area", 5], "--min-area changes nothing in voc"),
    ):
        said = seg2real("export", root, tmp_path / "other", *arguments)
        assert (said.code, sentence in said.err) == (2, True)
    said = seg2real("export", root, "s3://bucket/coco", "--to", "coco")
    assert (said.code, "s3://bucket/coco is no folder" in said.err) == (2, True)
    said = seg2real("export", tmp_path, tmp_path / "other", "--to", "coco")
    assert (said.code, "is no dataset" in said.err) == (2, True)
