"""Loading: pixels on pixels, transforms together, any number of workers."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.transforms import v2

from manifests.commit import commit
from manifests.decoding import UndecodableError
from manifests.loaders import SamplePairs
from manifests.schema import to_table


def test_a_sample_is_the_published_pixels(tmp_path: Path, publish: Callable) -> None:
    record = publish(tmp_path, "a")[0]
    pairs = SamplePairs(tmp_path)
    image, mask = pairs[0]
    assert isinstance(image, tv_tensors.Image) and image.dtype == torch.uint8 and image.shape == (3, 6, 8)
    assert isinstance(mask, tv_tensors.Mask) and mask.dtype == torch.uint8 and mask.shape == (6, 8)
    stored = cv2.imread(str(tmp_path / record.image_file_name))[..., ::-1]
    assert np.array_equal(image.permute(1, 2, 0).numpy(), stored)
    assert np.array_equal(mask.numpy(), np.array(Image.open(tmp_path / record.label_file_name)))
    assert pairs.class_names == ("environment", "field", "line") and pairs.version == 1
    assert torch.equal(pairs[-1][0], image)
    with pytest.raises(IndexError, match="no sample 1"):
        pairs[1]
    assert len(list(pairs)) == 1


def test_splits_and_rejects(tmp_path: Path, write_pair: Callable, palette: dict) -> None:
    splits = {"a": "train", "b": "val", "c": "train", "d": "train"}
    records = [
        write_pair(
            tmp_path, name, split=split, accepted=name != "d", reject_reason="flat" if name == "d" else None
        )
        for name, split in splits.items()
    ]
    commit(tmp_path, to_table(records, palette=palette))
    ids = {name: record.sample_id for name, record in zip(splits, records, strict=True)}
    assert SamplePairs(tmp_path, "train").sample_ids.to_pylist() == [ids["a"], ids["c"]]
    assert SamplePairs(tmp_path, "train", accepted_only=False).sample_ids.to_pylist() == [
        ids["a"],
        ids["c"],
        ids["d"],
    ]
    assert len(SamplePairs(tmp_path)) == 3 and len(SamplePairs(tmp_path, "test")) == 0
    with pytest.raises(ValueError, match="no split 'dev'; use one of train, val, test"):
        SamplePairs(tmp_path, "dev")


def test_transforms_move_image_and_label_together(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, "a")
    (image, mask), flipped = (
        SamplePairs(tmp_path)[0],
        SamplePairs(tmp_path, transforms=v2.RandomHorizontalFlip(1))[0],
    )
    assert torch.equal(flipped[0], image.flip(-1)) and torch.equal(flipped[1], mask.flip(-1))
    larger = SamplePairs(tmp_path, transforms=v2.Resize((12, 16)))[0]
    assert set(larger[1].unique().tolist()) <= {0, 1, 2}


def test_workers_change_nothing(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, *"abcdef")
    pairs = SamplePairs(tmp_path)
    alone_batches = list(DataLoader(pairs, batch_size=4))
    # Spawned: a fork of a process in which a Prefect flow has run ends with an error of Prefect's.
    loader = DataLoader(pairs, batch_size=4, num_workers=2, multiprocessing_context="spawn")
    for alone, shared in zip(alone_batches, loader, strict=True):
        assert torch.equal(alone[0], shared[0]) and torch.equal(alone[1], shared[1])


def test_a_damaged_file_is_named(tmp_path: Path, publish: Callable) -> None:
    record = publish(tmp_path, "a")[0]
    (tmp_path / record.label_file_name).write_bytes(b"hello")
    with pytest.raises(UndecodableError, match=f"{record.label_file_name} cannot be used.*seg2real verify"):
        SamplePairs(tmp_path)[0]


def test_nothing_else_imports_torch() -> None:
    code = """
import sys
import manifests.durable, manifests.info, manifests.splits, manifests.verification.verify, manifests.versions
assert not {"torch", "torchvision", "cv2", "PIL"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
