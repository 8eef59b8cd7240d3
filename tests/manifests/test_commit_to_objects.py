"""Commits to an object store keep what commits to a folder keep."""

import threading
from collections.abc import Callable

import pytest

from manifests.commit import commit, roll_back
from manifests.manifest import Manifest
from manifests.merge import ConflictError
from manifests.reader import read_records, read_schema
from manifests.schema import to_table, version_number
from manifests.storage.objects import ObjectStore
from manifests.storage.opening import open_store
from manifests.verification.verify import verify
from manifests.versions import version_numbers


def test_a_dataset_grows_and_goes_back(bucket: str, rows: Callable, make_record: Callable) -> None:
    root = bucket + "/datasets/soccer"
    assert Manifest.open(root).version == 0
    assert commit(root, rows("b", "a")) == 1
    assert commit(root, rows("c"), remove=[make_record("a").sample_id]) == 2
    assert commit(root, rows("c")) == 2
    assert Manifest.open(root).records == read_records(root) == [make_record("b"), make_record("c")]
    assert Manifest.open(root, version=1).records == [make_record("a"), make_record("b")]
    assert roll_back(root, 1) == 3
    assert read_records(root) == [make_record("a"), make_record("b")]
    assert version_number(read_schema(root)) == 3


def test_its_files_are_verified(
    bucket: str, write_pair: Callable, rows: Callable, tmp_path, palette: dict
) -> None:

    root, record = open_store(bucket + "/dataset"), write_pair(tmp_path, "a")
    for name in (record.image_file_name, record.label_file_name):
        root.replace(name, (tmp_path / name).read_bytes())
    commit(root, to_table([record], palette=palette))
    assert verify(root, deep=True).is_ok
    root.replace("images/0000/left.png", b"")
    root.replace(record.label_file_name, b"123")
    assert verify(root).num_by_code == {"orphan_file": 1, "wrong_size": 1}


def test_what_a_dead_writer_committed_is_published(bucket: str, rows: Callable, monkeypatch) -> None:
    root = bucket + "/dataset"
    commit(root, rows("a"))
    with monkeypatch.context() as dying:
        dying.setattr(ObjectStore, "replace_while", lambda *_: None)
        commit(root, rows("b"))
    assert version_number(read_schema(root)) == 1
    assert Manifest.open(root).version == 2
    assert version_number(read_schema(root)) == 2


def test_four_writers_at_once_all_arrive(bucket: str, rows: Callable) -> None:
    root = bucket + "/dataset"

    def write(writer: str) -> None:
        for number in range(2):
            commit(root, rows(f"{writer}{number}"))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert version_numbers(root) == list(range(1, 9))
    assert len(read_records(root)) == version_number(read_schema(root)) == 8


def test_an_overtaken_removal_is_refused(
    bucket: str, rows: Callable, make_record: Callable, monkeypatch
) -> None:
    root, create = bucket + "/dataset", ObjectStore.create
    commit(root, rows("a", "b"))

    def late(store: ObjectStore, name: str, data: bytes) -> None:
        monkeypatch.setattr(ObjectStore, "create", create)
        commit(root, rows("c"))
        create(store, name, data)

    monkeypatch.setattr(ObjectStore, "create", late)
    with pytest.raises(ConflictError, match="version 2 came from another writer"):
        commit(root, remove=[make_record("a").sample_id])
    assert len(read_records(root)) == 3
