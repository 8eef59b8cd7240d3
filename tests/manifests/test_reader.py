"""Reading: committed tables only, files inside the folder only."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.reader import (
    ManifestError,
    UnsafePathError,
    check_relative,
    inside,
    read_records,
    read_schema,
    read_table,
)
from manifests.schema import SchemaError, class_names, version_number


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


UNSAFE = [
    "",
    "/etc/passwd",
    "../a.png",
    "images/../../a.png",
    "images//a.png",
    "./a.png",
    "images/",
    "file:///etc/passwd",
    "s3://bucket/a.png",
    "C:/a.png",
    "C:a.png",
    "images\\..\\a.png",
    "a\0.png",
]


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafePathError, match="names the file"):
        inside(tmp_path, name)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_a_name_that_passes_stays_inside(name: str) -> None:
    try:
        check_relative(name)
    except UnsafePathError:
        return
    root = Path("/data/root")
    assert (root / name).is_relative_to(root) and ".." not in (root / name).parts


def test_links_may_not_lead_out(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "root-secret"
    for folder in (root / "images", outside):
        folder.mkdir(parents=True)
    (root / "images" / "a.png").write_bytes(b"a")
    (root / "link.png").symlink_to("images/a.png")
    (root / "out.png").symlink_to(outside / "b.png")
    (root / "folder").symlink_to(outside)
    assert inside(root, "link.png") == (root / "images" / "a.png").resolve()
    for name in ("out.png", "folder/b.png"):
        with pytest.raises(UnsafePathError, match="leads out"):
            inside(root, name)


def test_a_root_that_is_a_link_itself_is_fine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert inside(tmp_path / "link", "a.png") == (tmp_path / "real" / "a.png").resolve()
