"""Small datasets, published through the package's own doors."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from manifests.commit import commit
from manifests.durable import make_folders, write_durable
from manifests.schema import SampleRecord, lineage_key, sample_id, to_table
from manifests.splits import split_of

PALETTE = {
    "name": "pitch",
    "classes": [
        {"name": "environment", "color": [0, 0, 0], "background": True, "ignore": False},
        {"name": "field", "color": [0, 255, 0], "background": False, "ignore": False},
        {"name": "line", "color": [255, 255, 255], "background": False, "ignore": False},
    ],
}


def sha256(data: bytes | str) -> str:
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


@pytest.fixture
def palette() -> dict[str, Any]:
    return PALETTE


@pytest.fixture
def make_record() -> Callable[..., SampleRecord]:
    """A finished record for a name; its files need not exist."""

    def make(name: str, **changes: Any) -> SampleRecord:
        source = sha256(name)
        lineage = {"seed": 0, "variant": 0, "snapshot_sha256": sha256("snapshot")}
        key = lineage_key(source_sha256=source, settings_sha256=sha256("settings"), **lineage)
        identifier = sample_id(name, key)
        values = {
            "sample_id": identifier,
            "image_file_name": f"images/0000/{identifier}.png",
            "label_file_name": f"labels/0000/{identifier}.png",
            "width": 8,
            "height": 6,
            "image_bytes": 100,
            "label_bytes": 50,
            "image_sha256": sha256(name + "image"),
            "label_sha256": sha256(name + "label"),
            "source_set": "set",
            "source_label": f"segTrain/{name}.png",
            "source_sha256": source,
            "source_part": "train",
            "split": split_of(source, "train", val_fraction=0.25, test_fraction=0.25),
            "class_pixel_counts": (16, 16, 16),
            "mask_coverage": 2 / 3,
            "method": "attention_cyclegan",
            "snapshot_name": "snapshot-0000001k",
            "config_sha256": sha256("config"),
            "accepted": True,
            "seg2real_version": "0.1.0",
            "torch_version": "2.6",
        }
        return SampleRecord(**values | lineage | changes)

    return make


@pytest.fixture
def rows(make_record: Callable[..., SampleRecord]) -> Callable[..., pa.Table]:
    """A table to commit: a finished record for each name."""
    return lambda *names, **changes: to_table(
        [make_record(name, **changes) for name in names], palette=PALETTE
    )


@pytest.fixture
def write_pair(make_record: Callable[..., SampleRecord]) -> Callable[..., SampleRecord]:
    """Draw an image and its label into a dataset's folders; the record that describes them."""

    def write(root: Path, name: str, *, image_format: str = "png", **changes: Any) -> SampleRecord:
        rng = np.random.default_rng(list(name.encode()))
        height, width = changes.get("height", 6), changes.get("width", 8)
        label_map = rng.integers(0, 3, (height, width), dtype=np.uint8)
        picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        image = cv2.imencode(f".{image_format}", picture[:, :, ::-1])[1].tobytes()
        label_image = Image.fromarray(label_map)
        label_image.putpalette([channel for entry in PALETTE["classes"] for channel in entry["color"]])
        buffer = io.BytesIO()
        label_image.save(buffer, "png")
        label = buffer.getvalue()
        plain = make_record(name)
        found = {
            "image_file_name": f"images/0000/{plain.sample_id}.{image_format}",
            "image_bytes": len(image),
            "label_bytes": len(label),
            "image_sha256": sha256(image),
            "label_sha256": sha256(label),
            "class_pixel_counts": tuple(np.bincount(label_map.ravel(), minlength=3).tolist()),
        }
        record = make_record(name, **found | changes)
        for file_name, data in ((record.image_file_name, image), (record.label_file_name, label)):
            make_folders((root / file_name).parent)
            write_durable(root / file_name, data)
        return record

    return write


@pytest.fixture
def publish(write_pair: Callable[..., SampleRecord]) -> Callable[..., list[SampleRecord]]:
    """Write pairs for some names and commit them; the records as committed."""

    def publish(root: Path, *names: str, **changes: Any) -> list[SampleRecord]:
        records = [write_pair(root, name, **changes) for name in names]
        commit(root, to_table(records, palette=PALETTE))
        return sorted(records, key=lambda record: record.sample_id)

    return publish
