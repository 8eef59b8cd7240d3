"""WebDataset's own reader gets every sample back."""

import json
from collections.abc import Callable

import pytest
import webdataset

from manifests.decoding import decode_image, decode_label


@pytest.mark.parametrize("shard_rows", [1, 1_000])
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the reader leaves the shards open
def test_samples_are_read_back(write: Callable, dataset, shard_rows: int) -> None:
    folder, report = write("webdataset", shard_rows=shard_rows)
    index = json.loads((folder / "index.json").read_text())
    assert index["classes"] == ["environment", "field", "ball", "robot", "unknown"]
    assert sum(index["shards"].values()) == 4 and report["shards"] == len(index["shards"])
    assert len(index["shards"]) == (4 if shard_rows == 1 else 3)
    suffix = dataset.records[0].image_file_name.rpartition(".")[2]
    urls = [str(folder / name) for name in index["shards"]]
    read = list(webdataset.WebDataset(urls, shardshuffle=False))
    assert len(read) == 4
    for sample, record in zip(read, dataset.records, strict=True):
        assert sample["__key__"] == record.sample_id.replace(".", "_")
        assert json.loads(sample["json"])["sample_id"] == record.sample_id
        assert (decode_image(sample[suffix]) == dataset.images[record.sample_id]).all()
        assert (decode_label(sample["label.png"]) == dataset.label_maps[record.sample_id]).all()
