"""A published dataset whose labels are known, to export."""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from PIL import Image

from manifests.commit import commit
from manifests.decoding import decode_image, decode_label
from manifests.exports.export import export
from manifests.manifest import Manifest
from manifests.schema import SampleRecord, to_table

PALETTE = {
    "name": "pitch",
    "classes": [
        {"name": "environment", "color": [0, 0, 0], "background": True, "ignore": False},
        {"name": "field", "color": [0, 255, 0], "background": False, "ignore": False},
        {"name": "ball", "color": [255, 0, 0], "background": False, "ignore": False, "thing": True},
        {"name": "robot", "color": [0, 0, 255], "background": False, "ignore": False, "thing": True},
        {"name": "unknown", "color": [9, 9, 9], "background": False, "ignore": True},
    ],
}
SPLITS = {"a": "train", "b": "train", "c": "val", "d": "test", "e": "train"}
CAMERA = {
    "projection": "RECTILINEAR",
    "focal_length": 20.0,
    "centre": [2.0, 1.0],
    "k": [1e-4, 1e-8],
    "fov": 1.5,
    "Hoc": [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.5], [0.0, 0.0, 0.0, 1.0]],
    "dimensions": [96, 64],
}
"""Of a picture twice as large as the dataset's."""


def label_map(name: str) -> np.ndarray:
    """Grass with a hole, two balls and robots that touch at a corner: uint8 [32, 48]."""
    random = np.random.default_rng(list(name.encode()))
    found = np.zeros((32, 48), np.uint8)
    found[10:] = 1
    found[15:17, 20:30] = 0
    x, y = random.integers(2, 20, 2)
    found[y : y + 3, x : x + 4] = 2
    found[28, 44] = 2
    found[2:6, 30:34] = found[6:9, 34:38] = 3
    found[20:22, 2:40:7] = 3
    found[:, 47] = 4
    return found


class Published(NamedTuple):
    manifest: Manifest
    records: list[SampleRecord]
    """The accepted ones, in the order of exports."""
    label_maps: dict[str, np.ndarray]
    """By sample_id."""
    images: dict[str, np.ndarray]


@pytest.fixture(scope="session")
def make_dataset(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Publish a dataset of an image format; a camera for all but one row, and one row that was rejected."""

    def make(image_format: str, camera: dict | None = CAMERA) -> Path:
        root = tmp_path_factory.mktemp(f"exported-{image_format}")
        rows = []
        for number, (name, split) in enumerate(SPLITS.items()):
            labels = label_map(name)
            pixels = np.random.default_rng(number).integers(0, 256, (*labels.shape, 3), dtype=np.uint8)
            pixels = cv2.GaussianBlur(pixels, (0, 0), 3)
            image = cv2.imencode(f".{image_format}", pixels[..., ::-1])[1].tobytes()
            picture, buffer = Image.fromarray(labels), io.BytesIO()
            picture.putpalette([channel for entry in PALETTE["classes"] for channel in entry["color"]])
            picture.save(buffer, "png")
            sample = f"{name}.1 x-{number:010x}"
            files = {
                f"images/0000/{sample}.{image_format}": image,
                f"labels/0000/{sample}.png": buffer.getvalue(),
            }
            for file_name, data in files.items():
                (root / file_name).parent.mkdir(parents=True, exist_ok=True)
                (root / file_name).write_bytes(data)
            rows.append(
                SampleRecord(
                    sample_id=sample,
                    image_file_name=f"images/0000/{sample}.{image_format}",
                    label_file_name=f"labels/0000/{sample}.png",
                    width=48,
                    height=32,
                    image_bytes=len(image),
                    label_bytes=len(buffer.getvalue()),
                    image_sha256=hashlib.sha256(image).hexdigest(),
                    label_sha256=hashlib.sha256(buffer.getvalue()).hexdigest(),
                    source_set="kid size",
                    source_label=f"segTrain/{name}.png",
                    source_sha256=hashlib.sha256(name.encode()).hexdigest(),
                    source_part="train",
                    split=split,
                    class_pixel_counts=tuple(np.bincount(labels.ravel(), minlength=5).tolist()),
                    mask_coverage=0.5,
                    seed=0,
                    variant=0,
                    method="cyclegan",
                    snapshot_name="snapshot-1",
                    snapshot_sha256="a" * 64,
                    config_sha256="b" * 64,
                    camera=json.dumps(camera) if camera and name != "b" else None,
                    accepted=name != "e",
                    reject_reason="constant" if name == "e" else None,
                    seg2real_version="0",
                    torch_version="2",
                )
            )
        commit(root, to_table(rows, palette=PALETTE))
        return root

    return make


@pytest.fixture(scope="session")
def published(make_dataset: Callable[..., Path]) -> dict[str, Published]:
    """By image format."""
    return {image_format: _published(make_dataset(image_format)) for image_format in ("png", "jpg")}


def _published(root: Path) -> Published:
    manifest = Manifest.open(root)
    records = [record for record in manifest.records if record.accepted]
    order = ["train", "val", "test"]
    records.sort(key=lambda record: (order.index(record.split), record.sample_id))
    return Published(
        manifest,
        records,
        {record.sample_id: decode_label((root / record.label_file_name).read_bytes()) for record in records},
        {record.sample_id: decode_image((root / record.image_file_name).read_bytes()) for record in records},
    )


@pytest.fixture(params=["png", "jpg"])
def dataset(request: pytest.FixtureRequest, published: dict[str, Published]) -> Published:
    return published[request.param]


@pytest.fixture
def root(make_dataset: Callable[..., Path]) -> Path:
    """A dataset to damage."""
    return make_dataset("png")


@pytest.fixture
def write(dataset: Published, tmp_path: Path) -> Callable[..., tuple[Path, dict]]:
    """Export the dataset; the folder and the report."""

    def write(format_name: str, **options: object) -> tuple[Path, dict]:
        folder = tmp_path / format_name
        return folder, export(dataset.manifest, folder, format_name, **options)

    return write
