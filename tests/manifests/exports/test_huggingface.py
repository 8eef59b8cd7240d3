"""Hugging Face's own reader gets every row back, with decoded images, from any folder."""

import json
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest


@pytest.mark.parametrize("shard_rows", [1, 1_000])
def test_rows_are_read_back(
    write: Callable, dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shard_rows: int
) -> None:
    folder, report = write("huggingface", shard_rows=shard_rows)
    assert report["shards"] == (4 if shard_rows == 1 else 3)
    monkeypatch.chdir("/")
    read = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in read.items()} == {"train": 2, "val": 1, "test": 1}
    assert isinstance(read["train"].features["image"], datasets.Image)
    rows = [row for split in ("train", "val", "test") for row in read[split]]
    for row, record in zip(rows, dataset.records, strict=True):
        assert (np.array(row["image"].convert("RGB")) == dataset.images[record.sample_id]).all()
        assert (np.array(row["label"]) == dataset.label_maps[record.sample_id]).all()
        assert row["sample_id"] == record.sample_id and row["split"] == record.split
        assert tuple(row["class_pixel_counts"]) == record.class_pixel_counts


def test_shards_are_quick_to_open_and_to_search(write: Callable) -> None:
    folder, _ = write("huggingface")
    file = pq.ParquetFile(folder / "data/train-00000-of-00001.parquet")
    group = file.metadata.row_group(0)
    columns = {group.column(index).path_in_schema: group.column(index) for index in range(group.num_columns)}
    assert columns["image.bytes"].compression == "UNCOMPRESSED"
    assert not columns["image.bytes"].is_stats_set and columns["sample_id"].is_stats_set
    assert "RLE_DICTIONARY" not in columns["image.bytes"].encodings
    assert columns["sample_id"].compression == "ZSTD"
    assert json.loads(file.schema_arrow.metadata[b"seg2real.palette"])["name"] == "pitch"
