"""`to_hf` gives the columns and pixels of Hugging Face's own loader, safely and soon."""

import time
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.commit import commit
from manifests.loaders.huggingface import to_hf
from manifests.loaders.selection import Selection
from manifests.paths import UnsafePathError
from manifests.push import push
from manifests.reader import ManifestError
from manifests.schema import SCHEMA


def assert_pixels(rows: datasets.Dataset, selection: Selection) -> None:
    assert len(rows) == len(selection)
    for row, index in zip(rows, range(len(selection)), strict=True):
        pair = selection.read(index)
        assert row["sample_id"] == selection.sample_ids[index].as_py()
        assert row["label"].mode == "P" and np.array_equal(np.asarray(row["label"]), pair.mask)
        assert np.array_equal(np.asarray(row["image"]), pair.image)


def test_pixels_and_columns(tmp_path: Path, publish: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    records = publish(tmp_path, *"abc")
    rows = to_hf(tmp_path)
    assert_pixels(rows, Selection(tmp_path))
    monkeypatch.chdir("/")
    assert_pixels(rows, Selection(tmp_path))
    expected = [name.removesuffix("_file_name") for name in SCHEMA.names]
    assert rows.column_names == expected
    assert rows.features["image"] == rows.features["label"] == datasets.Image()
    assert rows["class_pixel_counts"][:] == [list(record.class_pixel_counts) for record in records]
    # It is a dataset like any other.
    assert rows.filter(lambda row: row["sample_id"] == records[1].sample_id)[0]["label"].size == (8, 6)


def test_splits_rejects_and_versions(tmp_path: Path, publish: Callable) -> None:
    good = publish(tmp_path, "a", split="train") + publish(tmp_path, "b", split="val")
    publish(tmp_path, "c", split="train", accepted=False, reject_reason="flat")
    assert to_hf(tmp_path, "train")["sample_id"][:] == [good[0].sample_id]
    assert len(to_hf(tmp_path, "train", accepted_only=False)) == 2 and len(to_hf(tmp_path, "test")) == 0
    commit(tmp_path, remove=[good[0].sample_id])
    assert (len(to_hf(tmp_path)), len(to_hf(tmp_path, version=2))) == (1, 2)
    with pytest.raises(ManifestError, match="no version 9"):
        to_hf(tmp_path, version=9)


def test_an_object_store(tmp_path: Path, publish: Callable, bucket: str) -> None:
    publish(tmp_path, "a", "b")
    push(tmp_path, f"{bucket}/soccer")
    assert_pixels(to_hf(f"{bucket}/soccer"), Selection(tmp_path))


def test_files_outside_are_not_opened(tmp_path: Path, publish: Callable) -> None:
    record = publish(tmp_path / "root", "a")[0]
    label = tmp_path / "root" / record.label_file_name
    label.rename(tmp_path / "secret.png")
    label.symlink_to(tmp_path / "secret.png")
    with pytest.raises(UnsafePathError, match="leads out"):
        to_hf(tmp_path / "root")
    path = tmp_path / "root" / "metadata.parquet"
    table = pq.read_table(path)
    index = table.schema.get_field_index("label_file_name")
    field = table.schema.field(index)
    pq.write_table(table.set_column(index, field, pa.array(["../secret.png"])), path)
    with pytest.raises(UnsafePathError, match="names the file"):
        to_hf(tmp_path / "root")


def test_many_rows_take_no_time(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, "a")
    path = tmp_path / "metadata.parquet"
    pq.write_table(pq.read_table(path).take([0] * 20_000), path)
    start = time.process_time()
    assert len(to_hf(tmp_path)) == 20_000
    assert (
        time.process_time() - start < 5
    )  # a fraction of a second; it is half a minute where folders are listed
