"""A published dataset opens in other people's tools, with no code of ours."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from manifests.description import describe_dataset
from manifests.reader import read_table

HUGGING_FACE = """
import json, sys
import datasets
import numpy as np

loaded = datasets.load_dataset(sys.argv[1], split="train")
rows = [
    {
        "sample_id": row["sample_id"],
        "image": np.asarray(row["image"]).tolist(),
        "label": np.asarray(row["label"]).tolist(),
        "label_mode": row["label"].mode,
        "class_pixel_counts": row["class_pixel_counts"],
    }
    for row in loaded
]
print(json.dumps(rows))
"""


def run_offline(code: str, root: Path) -> str:
    environment = {
        "HF_HOME": str(root.parent / "hf"),
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "PATH": os.environ["PATH"],
        "HOME": str(root.parent),
    }
    command = [sys.executable, "-W", "ignore", "-c", code, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "names", [("a",), ("a", "b"), ("test_001", "val_002", "train-3")], ids=["one", "two", "named like splits"]
)
def test_hugging_face_decodes_images_and_labels(
    tmp_path: Path, publish: Callable, names: tuple[str, ...]
) -> None:
    root = tmp_path / "root"
    records = publish(root, *names)
    for folder in ("_staging", "_quarantine"):
        (root / folder).mkdir()
        (root / folder / "left.png").write_bytes(b"")
    rows = json.loads(run_offline(HUGGING_FACE, root).splitlines()[-1])
    assert [row["sample_id"] for row in rows] == [record.sample_id for record in records]
    for row, record in zip(rows, records, strict=True):
        assert row["label_mode"] == "P"
        ids = [value for line in row["label"] for value in line]
        assert tuple(ids.count(index) for index in range(3)) == record.class_pixel_counts
        assert tuple(row["class_pixel_counts"]) == record.class_pixel_counts
        assert (len(row["image"]), len(row["image"][0]), len(row["image"][0][0])) == (6, 8, 3)


def test_the_card_shows_code_that_runs(tmp_path: Path, publish: Callable) -> None:
    root = tmp_path / "root"
    records = publish(root, *"abcdef")
    describe_dataset(root)
    code = re.search(r"```python\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)[1]
    shown = code.replace("path/of/this/folder", str(root)) + "print(rows['sample_id'][:])"
    expected = [record.sample_id for record in records if record.split == "train"]
    assert run_offline(shown, root).splitlines()[-1] == str(expected)


def test_pandas_and_pyarrow_read_the_table(tmp_path: Path, publish: Callable) -> None:
    records = publish(tmp_path, "a", "b")
    frame = pd.read_parquet(tmp_path / "metadata.parquet")
    assert frame["sample_id"].tolist() == [record.sample_id for record in records]
    assert frame["camera"].isna().all()
    assert pq.read_table(tmp_path / "metadata.parquet").equals(read_table(tmp_path))
