"""Every planted fault is found, by its code, and nothing else is."""

import hashlib
import io
import os
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from manifests.commit import commit
from manifests.schema import SCHEMA, SampleRecord, to_table, with_version_number
from manifests.verification import findings
from manifests.verification.verify import verify
from manifests.versions import read_version


@pytest.fixture
def found(tmp_path: Path) -> Callable:
    """Codes that a verification finds, once each, and where."""

    def find(deep: bool = True) -> dict[str, str]:
        report = verify(tmp_path, deep=deep, num_workers=2)
        assert report.is_ok == (not report.findings)
        for finding in report.findings:
            assert finding.code in findings.REMEDIES and finding.what_to_do in str(finding)
        return {finding.code: finding.where for finding in report.findings}

    return find


def test_a_sound_dataset_has_no_findings(tmp_path: Path, publish: Callable) -> None:
    records = publish(tmp_path, *(f"{number:03d}" for number in range(150)))
    publish(tmp_path, "jpeg", image_format="jpg")
    steps = []
    report = verify(
        tmp_path, deep=True, num_workers=3, progress=lambda done, total: steps.append((done, total))
    )
    assert report.findings == () and report.is_ok and report.is_deep and report.version == 2
    assert report.num_rows == 151
    assert report.num_bytes > sum(record.image_bytes + record.label_bytes for record in records)
    assert steps == [(64, 151), (128, 151), (151, 151), (151, 151)]
    assert verify(tmp_path, deep=False).is_ok


def test_verifying_changes_nothing(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, "a")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    verify(tmp_path, deep=True)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_no_manifest(found: Callable) -> None:
    assert found() == {"no_manifest": "metadata.parquet"}


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_damaged_manifest(tmp_path: Path, publish: Callable, found: Callable, damage: str) -> None:
    publish(tmp_path, "a")
    path = tmp_path / "metadata.parquet"
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data if damage == "flipped" else data[:-20])
    assert found(deep=False) == {"damaged_manifest": "metadata.parquet"}
    part = tmp_path / "_versions" / read_version(tmp_path, 1).table
    path.write_bytes(part.read_bytes())
    assert found() == {}


def test_wrong_schema(tmp_path: Path, found: Callable) -> None:
    pq.write_table(pa.table({"sample_id": ["a"]}), tmp_path / "metadata.parquet")
    assert list(found()) == ["wrong_schema"]


def test_versions_that_do_not_fit(tmp_path: Path, publish: Callable, found: Callable) -> None:
    publish(tmp_path, "a")
    first = (tmp_path / "metadata.parquet").read_bytes()
    publish(tmp_path, "b")
    second = (tmp_path / "metadata.parquet").read_bytes()

    (tmp_path / "metadata.parquet").write_bytes(first)
    assert found(deep=False)["unpublished_version"] == "metadata.parquet"
    table = pq.read_table(io.BytesIO(second)).slice(0, 1)
    table = table.cast(with_version_number(table.schema, 2))
    pq.write_table(table, tmp_path / "metadata.parquet")
    assert found(deep=False)["table_changed"] == "metadata.parquet"
    (tmp_path / "metadata.parquet").write_bytes(second)

    part = tmp_path / "_versions" / read_version(tmp_path, 1).table
    part.write_bytes(b"")
    assert found() == {"damaged_version": f"_versions/{part.name}"}
    assert found(deep=False) == {}
    (tmp_path / "_versions" / "00000002.json").write_bytes(b"{}")
    assert found(deep=False) == {"damaged_version": "_versions/00000002.json"}
    (tmp_path / "_versions" / "00000002.json").unlink()
    assert found(deep=False) == {"no_version_record": "metadata.parquet"}


def replant(root: Path, record: SampleRecord, kind: str, data: bytes, **changes) -> SampleRecord:
    """Put other bytes in a sample's file, and a row that vouches for them."""
    (root / getattr(record, f"{kind}_file_name")).write_bytes(data)
    vouched = {f"{kind}_bytes": len(data), f"{kind}_sha256": hashlib.sha256(data).hexdigest()}
    return replace(record, **vouched | changes)


def recommit(root: Path, record: SampleRecord, palette: dict) -> None:
    commit(root, to_table([record], palette=palette), remove=[record.sample_id])


@pytest.mark.parametrize("kind", ["image", "label"])
def test_files_that_are_not_as_published(
    tmp_path: Path, publish: Callable, found: Callable, kind: str
) -> None:
    record = publish(tmp_path, "a", "b")[0]
    name = getattr(record, f"{kind}_file_name")
    path = tmp_path / name
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    assert found(deep=False) == found() == {"wrong_size": name}
    path.write_bytes(data[:-1] + b"x")
    assert found(deep=False) == {} and found() == {"wrong_sha256": name}
    path.unlink()
    assert found(deep=False) == found() == {"missing_file": name}
    path.mkdir()
    assert found(deep=False) == {"missing_file": name}
    path.rmdir()
    outside = tmp_path.parent / f"{tmp_path.name}-outside.png"
    outside.write_bytes(data)
    path.symlink_to(outside)
    assert found() == {"unsafe_path": name}


@pytest.mark.parametrize("name", ["../a.png", "/etc/passwd", "file:///etc/passwd", "images/a\0.png"])
def test_unsafe_path(tmp_path: Path, publish: Callable, found: Callable, palette: dict, name: str) -> None:
    record = publish(tmp_path, "a")[0]
    (tmp_path / record.image_file_name).unlink()
    recommit(tmp_path, replace(record, image_file_name=name), palette)
    assert found() == {"unsafe_path": name}


def huge_png() -> bytes:
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(9))),
    )
    data = b"\x89PNG\r\n\x1a\n"
    for name, body in chunks:
        data += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return data


@pytest.mark.parametrize("kind", ["image", "label"])
@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("undecodable", b"hello"),
        ("undecodable", b""),
        ("undecodable", cv2.imencode(".png", np.zeros((6, 8, 3), np.uint8))[1].tobytes()[:-40]),
        ("wrong_dimensions", cv2.imencode(".png", np.zeros((8, 6), np.uint8))[1].tobytes()),
        ("too_large", huge_png()),
    ],
    ids=["text", "empty", "truncated", "turned", "huge"],
)
def test_vouched_files_that_are_wrong(
    tmp_path: Path, publish: Callable, found: Callable, palette: dict, kind: str, code: str, data: bytes
) -> None:
    record = replant(tmp_path, publish(tmp_path, "a", "b")[1], kind, data)
    recommit(tmp_path, record, palette)
    assert found() == {code: getattr(record, f"{kind}_file_name")}
    assert found(deep=False) == {}


@pytest.mark.parametrize(
    ("code", "pixels"),
    [
        ("unknown_class_id", np.full((6, 8), 3, np.uint8)),
        ("wrong_pixel_counts", np.full((6, 8), 2, np.uint8)),
        ("undecodable", np.zeros((6, 8, 3), np.uint8)),
    ],
)
def test_labels_that_are_wrong(
    tmp_path: Path, publish: Callable, found: Callable, palette: dict, code: str, pixels: np.ndarray
) -> None:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    record = replant(tmp_path, publish(tmp_path, "a")[0], "label", buffer.getvalue())
    recommit(tmp_path, record, palette)
    assert found() == {code: record.label_file_name}


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("bad_value", {"split": "dev"}),
        ("bad_value", {"mask_coverage": 1.5}),
        ("bad_value", {"accepted": False}),
        ("wrong_pixel_counts", {"class_pixel_counts": (48,)}),
        ("wrong_pixel_counts", {"class_pixel_counts": (48, 1, 1)}),
    ],
)
def test_values_that_are_wrong(
    tmp_path: Path, publish: Callable, found: Callable, palette: dict, code: str, changes: dict
) -> None:
    record = publish(tmp_path, "a")[0]
    recommit(tmp_path, replace(record, **changes), palette)
    assert found(deep=False) == {code: "metadata.parquet"}


def test_two_rows_with_one_file(tmp_path: Path, publish: Callable, found: Callable, palette: dict) -> None:
    record = publish(tmp_path, "a")[0]
    commit(tmp_path, to_table([replace(record, sample_id="again")], palette=palette))
    assert found() == {"shared_file": "metadata.parquet"}


def test_rows_from_elsewhere_are_checked_for_uniqueness_and_gaps(
    tmp_path: Path, publish: Callable, found: Callable
) -> None:
    publish(tmp_path, "a")
    table = pq.read_table(tmp_path / "metadata.parquet")
    pq.write_table(pa.concat_tables([table, table]), tmp_path / "metadata.parquet")
    assert set(found()) == {"duplicate_sample_id", "shared_file", "table_changed"}

    index = SCHEMA.get_field_index("width")
    schema = table.schema.set(index, pa.field("width", pa.int32()))
    gaps = table.cast(schema).set_column(index, "width", pa.array([None], pa.int32()))
    pq.write_table(gaps, tmp_path / "metadata.parquet")
    assert set(found()) == {"missing_value", "table_changed"}


def test_orphans(tmp_path: Path, publish: Callable, found: Callable) -> None:
    publish(tmp_path, "a")
    for name in ("images/0001/left.png", "labels/0000/.0123.tmp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
        assert found(deep=False) == {"orphan_file": name}
        (tmp_path / name).unlink()
    for folder in ("_staging", "_quarantine", "report"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.png").write_bytes(b"")
    assert found() == {}


def test_files_of_an_older_version_are_no_orphans(tmp_path: Path, publish: Callable, found: Callable) -> None:
    record = publish(tmp_path, "a", "b")[0]
    commit(tmp_path, remove=[record.sample_id])
    assert found() == {}


def test_each_code_can_be_found() -> None:
    # Each remedy belongs to a fault that this file plants, or the one about lineage.
    places = [Path(__file__), Path(__file__).parents[2] / "pipeline" / "test_regenerate.py"]
    texts = "".join(path.read_text() for path in places)
    planted = set(re.findall(r'"([a-z0-9]+_[a-z0-9_]+|undecodable)"', texts))
    assert set(findings.REMEDIES) <= planted


def test_a_report_counts_by_code(tmp_path: Path, publish: Callable) -> None:
    for record in publish(tmp_path, "a", "b"):
        os.unlink(tmp_path / record.label_file_name)
    (tmp_path / "images" / "left.png").write_bytes(b"")
    report = verify(tmp_path)
    assert report.num_by_code == {"missing_file": 2, "orphan_file": 1}
    assert f"(sample {report.findings[0].sample_id})" in str(report.findings[0])
