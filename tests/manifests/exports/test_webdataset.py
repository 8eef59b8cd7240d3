"""WebDataset's own reader gets every sample back."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import webdataset

from manifests.decoding import decode_image, decode_label
from manifests.exports.classes import ExportClass
from manifests.exports.webdataset import key_of

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # the reader leaves the shards open


def read(folder: Path) -> webdataset.WebDataset:
    index = json.loads((folder / "index.json").read_text())
    return webdataset.WebDataset([str(folder / name) for name in index["shards"]], shardshuffle=False)


@pytest.mark.parametrize("shard_rows", [1, 1_000])
def test_samples_are_read_back(write: Callable, dataset, shard_rows: int) -> None:
    folder, report = write("webdataset", shard_rows=shard_rows)
    index = json.loads((folder / "index.json").read_text())
    assert index["classes"] == ["environment", "field", "ball", "robot", "unknown"]
    assert sum(index["shards"].values()) == 4 and report["shards"] == len(index["shards"])
    assert len(index["shards"]) == (4 if shard_rows == 1 else 3)
    suffix = dataset.records[0].image_file_name.rpartition(".")[2]
    samples = list(read(folder))
    assert len(samples) == 4
    for sample, record in zip(samples, dataset.records, strict=True):
        assert sample["__key__"] == key_of(record.sample_id)
        assert json.loads(sample["json"])["sample_id"] == record.sample_id
        assert (decode_image(sample[suffix]) == dataset.images[record.sample_id]).all()
        assert (decode_label(sample["label.png"]) == dataset.label_maps[record.sample_id]).all()


def test_its_decoder_keeps_class_ids_where_it_is_told_how(write: Callable, dataset) -> None:
    folder, _ = write("webdataset")
    label = webdataset.handle_extension("label.png", decode_label)
    pairs = read(folder).decode(label, "rgb8").to_tuple("png;jpg", "label.png")
    for (image, label_map), record in zip(pairs, dataset.records, strict=True):
        assert (label_map == dataset.label_maps[record.sample_id]).all()
        assert np.abs(image.astype(int) - dataset.images[record.sample_id]).mean() < 2


def test_labels_and_rows_have_the_classes_that_were_asked_for(write: Callable, dataset) -> None:
    classes = {"object": ExportClass(members=("robot", "ball")), "turf": ExportClass(members=("field",))}
    folder, _ = write("webdataset", classes=classes)
    assert json.loads((folder / "index.json").read_text())["classes"] == ["background", "object", "turf"]
    for sample, record in zip(read(folder), dataset.records, strict=True):
        wanted = np.array([0, 2, 1, 1, 255], np.uint8)[dataset.label_maps[record.sample_id]]
        assert (decode_label(sample["label.png"]) == wanted).all()
        row = json.loads(sample["json"])
        assert row["class_pixel_counts"] == np.bincount(wanted.ravel(), minlength=256)[:3].tolist()
        assert row["label_sha256"] == hashlib.sha256(sample["label.png"]).hexdigest()


def test_keys_have_no_dots_and_are_as_different_as_ids() -> None:
    ids = ["a.b-1", "a_b-1", "a%2Eb-1", "ab-1"]
    keys = [key_of(sample_id) for sample_id in ids]
    assert len(set(keys)) == len(ids) and not any("." in key for key in keys)
