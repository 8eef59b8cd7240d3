"""Garbage collection removes what nobody can miss, and nothing else."""

import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from manifests import garbage
from manifests.commit import commit
from manifests.garbage import collect_garbage, find_garbage
from manifests.manifest import Manifest
from manifests.merge import ConflictError
from manifests.schema import to_table
from manifests.table_file import ManifestError
from manifests.verification.verify import verify
from manifests.versions import version_numbers
from manifests.writer import table_bytes

DAY = timedelta(days=1)


def make_older(root: Path, *names: str) -> None:
    for path in [root / name for name in names] or [path for path in root.rglob("*") if path.is_file()]:
        os.utime(path, times=(time.time() - 10 * DAY.total_seconds(),) * 2)


@pytest.fixture
def three_versions(tmp_path: Path, publish: Callable) -> tuple[Path, list]:
    """A dataset with "a" in its first version only; all files are ten days old."""
    root = tmp_path / "dataset"
    records = publish(root, "a", "b")
    commit(root, remove=[records[0].sample_id])
    publish(root, "c")
    make_older(root)
    return root, records


def test_without_a_limit_only_what_no_version_names_goes(three_versions: tuple[Path, list]) -> None:
    root, _ = three_versions
    assert find_garbage(root, grace=DAY).names == ()
    left = {
        "images/0000/left.png",
        "labels/0007/.0123456789abcdef.tmp",
        "_versions/.0123456789abcdef.tmp",
        "_versions/manifest-00000004-0123456789ab.parquet",
    }
    for name in left:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"12345")
    assert find_garbage(root, grace=DAY).names == ()  # a writer may be about to name them
    make_older(root, *left)
    found = find_garbage(root, grace=DAY)
    assert (set(found.names), found.num_bytes, found.versions, found.newest) == (left, 20, (), 3)
    collect_garbage(root, found)
    assert find_garbage(root, grace=timedelta()).names == () and verify(root, deep=True).is_ok
    assert version_numbers(root) == [1, 2, 3]


def test_forgotten_versions_take_along_what_only_they_name(
    three_versions: tuple[Path, list], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, records = three_versions
    assert find_garbage(root, keep_versions=1, grace=DAY).versions == ()  # they were committed just now
    later = time.time() + 30 * DAY.total_seconds()
    monkeypatch.setattr(garbage.time, "time", lambda: later)
    found = find_garbage(root, keep_versions=1, grace=DAY)
    assert found.versions == (1, 2)
    assert set(found.names[4:]) == {records[0].image_file_name, records[0].label_file_name}
    assert [name.endswith(".json") for name in found.names[:4]] == [True, False] * 2
    collect_garbage(root, found)
    assert version_numbers(root) == [3] and verify(root, deep=True).is_ok
    with pytest.raises(ManifestError, match=r"has no version 1; it has \[3\]"):
        Manifest.open(root, version=1)
    assert commit(root, remove=[records[1].sample_id]) == 4


def test_files_of_rows_that_wait_stay(
    three_versions: tuple[Path, list], write_pair: Callable, palette: dict
) -> None:

    root, _ = three_versions
    record = write_pair(root, "waiting")
    (root / "_staging").mkdir()
    (root / "_staging/shard-0001.parquet").write_bytes(table_bytes(to_table([record], palette=palette)))
    make_older(root)
    assert find_garbage(root, grace=DAY).names == ()
    (root / "_staging/shard-0001.parquet").unlink()
    assert set(find_garbage(root, grace=DAY).names) == {record.image_file_name, record.label_file_name}


def test_what_a_new_version_may_name_is_not_removed(
    three_versions: tuple[Path, list], publish: Callable
) -> None:
    root, _ = three_versions
    (root / "images/0000/left.png").write_bytes(b"")
    make_older(root, "images/0000/left.png")
    found = find_garbage(root, grace=DAY)
    publish(root, "d")
    with pytest.raises(ConflictError, match="has a new version; look for garbage again"):
        collect_garbage(root, found)
    assert (root / "images/0000/left.png").exists()


def test_a_damaged_version_stops_it(three_versions: tuple[Path, list]) -> None:
    root, _ = three_versions
    next((root / "_versions").glob("manifest-00000001-*")).write_bytes(b"")
    with pytest.raises(ManifestError, match="is damaged"):
        find_garbage(root)


def test_it_works_on_an_object_store(bucket: str, rows: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    root = bucket + "/dataset"
    commit(root, rows("a", "b"))
    commit(root, rows("c"))
    later = time.time() + 30 * DAY.total_seconds()
    monkeypatch.setattr(garbage.time, "time", lambda: later)
    found = find_garbage(root, keep_versions=1)
    assert found.versions == (1,) and len(found.names) == 2
    collect_garbage(root, found)
    assert version_numbers(root) == [2] and len(Manifest.open(root).records) == 3


def test_an_empty_folder_has_none(tmp_path: Path) -> None:
    found = find_garbage(tmp_path, keep_versions=3)
    assert found.names == found.versions == () and found.newest == 0
    collect_garbage(tmp_path, found)
