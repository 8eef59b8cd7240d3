"""The map-style dataset: transforms together, any number of workers."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.transforms import v2

from manifests.decoding import UndecodableError
from manifests.loaders.pairs import SamplePairs
from manifests.loaders.samplers import ClassBalancedSampler
from manifests.loaders.selection import Selection
from manifests.push import push


def test_a_sample_is_the_selections_pixels(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, "a")
    selection = Selection(tmp_path)
    pairs = SamplePairs(selection)
    image, mask = pairs[0]
    assert isinstance(image, tv_tensors.Image) and image.dtype == torch.uint8 and image.shape == (3, 6, 8)
    assert isinstance(mask, tv_tensors.Mask) and mask.dtype == torch.uint8 and mask.shape == (6, 8)
    assert np.array_equal(image.permute(1, 2, 0).numpy(), selection.read(0).image)
    assert np.array_equal(mask.numpy(), selection.read(0).mask)
    assert torch.equal(pairs[-1][0], image)
    for index in (1, -2):
        with pytest.raises(IndexError, match=f"no sample {index}; the selection has 1"):
            pairs[index]
    assert len(list(pairs)) == 1


def test_transforms_move_image_and_label_together(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, "a")
    selection = Selection(tmp_path)
    (image, mask), flipped = (
        SamplePairs(selection)[0],
        SamplePairs(selection, v2.RandomHorizontalFlip(1))[0],
    )
    assert torch.equal(flipped[0], image.flip(-1)) and torch.equal(flipped[1], mask.flip(-1))
    larger = SamplePairs(selection, v2.Resize((12, 16)))[0]
    assert larger[0].shape == (3, 12, 16) and set(larger[1].unique().tolist()) <= {0, 1, 2}


def test_a_dataloader_takes_the_samplers(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, *"abcdef")
    selection = Selection(tmp_path)
    sampler = ClassBalancedSampler(selection, num_samples=10)
    pairs = SamplePairs(selection)
    images = [image for batch, _ in DataLoader(pairs, batch_size=4, sampler=sampler) for image in batch]
    assert len(images) == 10
    for image, index in zip(images, sampler, strict=True):
        assert torch.equal(image, pairs[index][0])


def test_an_object_store_is_read_alike(tmp_path: Path, publish: Callable, bucket: str) -> None:
    publish(tmp_path, *"abc")
    push(tmp_path, f"{bucket}/soccer")
    here, there = (SamplePairs(Selection(root)) for root in (tmp_path, f"{bucket}/soccer"))
    for one, other in zip(DataLoader(here, batch_size=2), DataLoader(there, batch_size=2), strict=True):
        assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1])


def test_a_damaged_file_is_named(tmp_path: Path, publish: Callable) -> None:
    record = publish(tmp_path, "a")[0]
    (tmp_path / record.label_file_name).write_bytes(b"hello")
    with pytest.raises(UndecodableError, match=f"{record.label_file_name} cannot be used.*seg2real verify"):
        SamplePairs(Selection(tmp_path))[0]


def test_nothing_else_imports_torch() -> None:
    code = """
import sys
import manifests.durable, manifests.info, manifests.splits, manifests.verification.verify, manifests.versions
import manifests.loaders.batches, manifests.loaders.huggingface, manifests.loaders.samplers
assert not {"torch", "torchvision", "cv2", "PIL", "datasets"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
