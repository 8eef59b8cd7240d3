"""A published dataset opens in other people's tools, with no code of ours."""

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas
import polars
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from PIL import Image

from manifests.decoding import decode_image
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


# Ray Data, which takes seconds to start, is in tests/test_readme.py.
READERS = {
    "pandas": lambda path: pandas.read_parquet(path).to_dict("records"),
    "polars": lambda path: polars.read_parquet(path).to_dicts(),
    "polars, lazily": lambda path: polars.scan_parquet(path).collect().to_dicts(),
    "duckdb": lambda path: duckdb.sql(f"select * from '{path}'").to_arrow_table().to_pylist(),
    "pyarrow.dataset": lambda path: pyarrow.dataset.dataset(path).to_table().to_pylist(),
}


def value(found: Any) -> Any:
    """A tool's way to say a list or nothing, as a record has it."""
    if isinstance(found, list | np.ndarray):
        return tuple(int(one) for one in found)
    return None if isinstance(found, float) and math.isnan(found) else found


@pytest.mark.parametrize("tool", READERS)
def test_a_table_tool_finds_the_rows_and_their_pixels(tmp_path: Path, publish: Callable, tool: str) -> None:
    records = publish(tmp_path, "a", "b") + publish(tmp_path, "c", image_format="jpg")
    rows = READERS[tool](tmp_path / "metadata.parquet")
    by_id = {record.sample_id: record for record in records}
    assert [row["sample_id"] for row in rows] == sorted(by_id)
    for row in rows:
        record = by_id[row["sample_id"]]
        assert {name: value(found) for name, found in row.items()} == asdict(record)
        image, label = (tmp_path / row[f"{kind}_file_name"] for kind in ("image", "label"))
        ids = np.asarray(Image.open(label))
        assert tuple(np.bincount(ids.ravel(), minlength=3).tolist()) == record.class_pixel_counts
        assert np.array_equal(np.asarray(Image.open(image)), decode_image(image.read_bytes()))


def test_pyarrow_reads_what_the_reader_reads(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, "a", "b")
    assert pq.read_table(tmp_path / "metadata.parquet").equals(read_table(tmp_path))
