"""A dataset to read: made-up labels, and pictures that compress as photographs do."""

import hashlib
from pathlib import Path

import numpy as np
import torch

from benchmarks.materials import PALETTE, made_up_label, made_up_picture
from manifests.commit import commit
from manifests.schema import SampleRecord, to_table
from pipeline.images import encode_jpeg, encode_label_png, write_file
from pipeline.palette import load_palette

__all__ = ["publish_pitches"]

JPEG_QUALITY = 95


def publish_pitches(root: Path, num_samples: int, size_px: int) -> None:
    """Publish drawn pitches: JPEG pictures, and labels as palette PNGs."""
    palette = load_palette(PALETTE)
    records = []
    for number in range(num_samples):
        label_map = made_up_label(number, size_px)
        image = encode_jpeg(made_up_picture(label_map, palette, number), JPEG_QUALITY)
        label = encode_label_png(label_map, palette)
        record = _record(number, image, label, label_map, palette.num_classes)
        write_file(root / record.image_file_name, image)
        write_file(root / record.label_file_name, label)
        records.append(record)
    commit(root, to_table(records, palette=palette.model_dump(mode="json")))


def _record(number: int, image: bytes, label: bytes, label_map: np.ndarray, num_classes: int) -> SampleRecord:
    name = f"{number:06d}"
    digest = hashlib.sha256(name.encode()).hexdigest()
    folder = f"{number // 1000:04d}"
    return SampleRecord(
        sample_id=name,
        image_file_name=f"images/{folder}/{name}.jpg",
        label_file_name=f"labels/{folder}/{name}.png",
        width=label_map.shape[1],
        height=label_map.shape[0],
        image_bytes=len(image),
        label_bytes=len(label),
        image_sha256=hashlib.sha256(image).hexdigest(),
        label_sha256=hashlib.sha256(label).hexdigest(),
        source_set="drawn",
        source_label=f"{name}.png",
        source_sha256=digest,
        source_part="train",
        split="train",
        class_pixel_counts=tuple(np.bincount(label_map.ravel(), minlength=num_classes).tolist()),
        mask_coverage=1.0,
        seed=0,
        variant=0,
        method="drawn",
        snapshot_name="none",
        snapshot_sha256=digest,
        config_sha256=digest,
        accepted=True,
        seg2real_version="none",
        torch_version=torch.__version__,
    )
