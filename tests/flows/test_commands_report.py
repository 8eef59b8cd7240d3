"""report, on the command line."""

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
        {"name": "ball", "color": [255, 0, 0]},
    ],
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two samples that share their files."""
    root = tmp_path / "dataset"
    for name, pixels in (("images", np.zeros((10, 10, 3), np.uint8)), ("labels", np.eye(10, dtype=np.uint8))):
        (root / name).mkdir(parents=True)
        (root / name / "only.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    values = {field.name: "x" for field in SCHEMA} | dict.fromkeys(("image_bytes", "label_bytes", "seed"), 1)
    own = {"class_pixel_counts": (90, 10), "width": 10, "height": 10, "variant": 0, "mask_coverage": 0.5}
    files = {"image_file_name": "images/only.png", "label_file_name": "labels/only.png"}
    rest = {"accepted": True, "split": "train", "camera": None, "reject_reason": None}
    records = [SampleRecord(**values | own | files | rest | {"sample_id": name}) for name in "ab"]
    commit(root, to_table(records, palette=PALETTE))
    return root


def test_a_page_is_written(seg2real: Callable, root: Path, tmp_path: Path) -> None:
    said = seg2real("report", root)
    assert (said.code, "report/index.html: version 1, 2 of 2 rows" in said.out) == (0, True)
    page = (root / "report" / "index.html").read_text()
    assert page.count("<article") == 2 and 'id="training"' not in page
    (tmp_path / "metrics.jsonl").write_text('{"num_images_seen": 1, "cycle_a": 2.0}\n')
    said = seg2real("report", root, "--max-samples", 1, "--run-dir", tmp_path)
    assert (said.code, "1 of 2 rows" in said.out) == (0, True)
    page = (root / "report" / "index.html").read_text()
    assert page.count("<article") == 1 and 'id="training"' in page


def test_wrong_arguments_are_sentences(seg2real: Callable, root: Path, tmp_path: Path) -> None:
    for arguments, sentence in (
        ([tmp_path / "none"], "is no dataset"),
        ([root, "--run-dir", tmp_path / "none"], "is no folder; the run_dir of a run was wanted"),
        ([root, "--max-samples", 0], "Input should be greater than or equal to 1"),
    ):
        said = seg2real("report", *arguments)
        assert (said.code, sentence in said.err) == (2, True)
