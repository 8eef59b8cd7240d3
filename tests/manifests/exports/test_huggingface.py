"""Hugging Face's own reader gets every row back, with decoded images, from any folder."""

import json
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest

from manifests.exports.classes import ExportClass


def load(folder: Path, tmp_path: Path) -> datasets.DatasetDict:
    return datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))


@pytest.mark.parametrize("shard_rows", [1, 1_000])
def test_rows_are_read_back(
    write: Callable, dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shard_rows: int
) -> None:
    folder, report = write("huggingface", shard_rows=shard_rows)
    assert report["shards"] == (4 if shard_rows == 1 else 3)
    monkeypatch.chdir("/")
    read = load(folder, tmp_path)
    assert {split: len(rows) for split, rows in read.items()} == {"train": 2, "val": 1, "test": 1}
    features = read["train"].features
    assert isinstance(features["image"], datasets.Image) and isinstance(features["label"], datasets.Image)
    assert features["classes"].feature.names == ["environment", "field", "ball", "robot", "unknown"]
    rows = [row for split in ("train", "val", "test") for row in read[split]]
    for row, record in zip(rows, dataset.records, strict=True):
        label_map = dataset.label_maps[record.sample_id]
        assert (np.array(row["image"].convert("RGB")) == dataset.images[record.sample_id]).all()
        assert (np.array(row["label"]) == label_map).all()
        assert row["classes"] == np.unique(label_map).tolist()
        assert row["sample_id"] == record.sample_id and row["split"] == record.split
        assert tuple(row["class_pixel_counts"]) == record.class_pixel_counts


def test_labels_have_the_classes_that_were_asked_for(write: Callable, dataset, tmp_path: Path) -> None:
    folder, _ = write("huggingface", classes={"object": ExportClass(members=("robot", "ball"))})
    read = load(folder, tmp_path)["val"]
    assert read.features["classes"].feature.names == ["background", "object"]
    [record] = [record for record in dataset.records if record.split == "val"]
    wanted = np.array([0, 0, 1, 1, 255])[dataset.label_maps[record.sample_id]]
    assert (np.array(read[0]["label"]) == wanted).all()
    assert read[0]["classes"] == [0, 1] and read[0]["class_pixel_counts"] == [
        int((wanted == number).sum()) for number in (0, 1)
    ]


def test_shards_are_quick_to_open_and_to_search(write: Callable) -> None:
    folder, _ = write("huggingface")
    file = pq.ParquetFile(folder / "data/train-00000-of-00001.parquet", page_checksum_verification=True)
    group = file.metadata.row_group(0)
    columns = {group.column(index).path_in_schema: group.column(index) for index in range(group.num_columns)}
    for name in ("image.bytes", "label.bytes"):
        assert columns[name].compression == "UNCOMPRESSED" and not columns[name].is_stats_set
        assert "RLE_DICTIONARY" not in columns[name].encodings
    for name in ("sample_id", "class_pixel_counts.list.element", "classes.list.element", "width"):
        assert columns[name].compression == "ZSTD" and columns[name].is_stats_set
    assert json.loads(file.schema_arrow.metadata[b"seg2real.palette"])["name"] == "pitch"
    assert file.read().num_rows == 2


@pytest.mark.parametrize(("limit", "sizes"), [(1, [16, 16, 8]), (1 << 30, [32, 8])])
def test_row_groups_have_16_rows_of_large_images_and_32_of_small_ones(
    monkeypatch: pytest.MonkeyPatch, limit: int, sizes: list[int]
) -> None:
    from manifests.exports import huggingface

    monkeypatch.setattr(huggingface, "BYTES_PER_GROUP", limit)
    row = {"image": {"bytes": b"12"}, "label": {"bytes": b"3"}}
    assert [len(group) for group in huggingface._groups(iter([row] * 40))] == sizes
