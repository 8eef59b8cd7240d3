"""Reading: committed tables only."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.reader import read_records, read_schema, read_table
from manifests.schema import SchemaError, class_names, version_number
from manifests.table_file import ManifestError


def test_what_was_published_is_read(tmp_path: Path, publish: Callable) -> None:
    records = publish(tmp_path, "b", "a", "c")
    assert read_records(tmp_path) == records
    assert version_number(read_schema(tmp_path)) == 1
    assert class_names(read_schema(tmp_path)) == ("environment", "field", "line")
    assert read_table(tmp_path, columns=["split"]).column_names == ["split"]


def test_an_equals_sign_in_the_path_adds_no_column(tmp_path: Path, publish: Callable) -> None:
    root = tmp_path / "lens=fisheye"
    records = publish(root, "a")
    assert read_records(root) == records


def test_no_dataset_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        ManifestError, match=f"There is no dataset at {tmp_path}: metadata.parquet is missing"
    ):
        read_table(tmp_path)


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "flipped"])
def test_a_damaged_table_is_named(tmp_path: Path, publish: Callable, damage: str) -> None:
    publish(tmp_path, "a", "b")
    path = tmp_path / "metadata.parquet"
    data = path.read_bytes()
    flipped = data[:200] + bytes([data[200] ^ 1]) + data[201:]
    path.write_bytes({"empty": b"", "text": b"hello" * 9, "cut": data[:-9], "flipped": flipped}[damage])
    with pytest.raises(ManifestError, match=f"{path} (is damaged|cannot be read)"):
        read_table(tmp_path)


def test_another_tables_columns_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"file_name": ["a.png"]}), tmp_path / "metadata.parquet")
    with pytest.raises(SchemaError, match="sample_id is missing"):
        read_table(tmp_path)
