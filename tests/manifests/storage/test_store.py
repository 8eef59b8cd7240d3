"""Both kinds of store keep the same promises."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests.paths import UnsafePathError
from manifests.storage.folder import FolderStore
from manifests.storage.objects import ObjectStore
from manifests.storage.opening import open_store
from manifests.storage.store import Store, StoreError


@pytest.fixture(params=["folder", "objects"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "folder":
        yield open_store(tmp_path / "dataset")
    else:
        yield open_store(request.getfixturevalue("bucket") + "/datasets/soccer")


def test_a_root_leads_to_its_store(tmp_path: Path, bucket: str) -> None:
    assert isinstance(open_store(tmp_path), FolderStore) and isinstance(
        open_store(str(tmp_path)), FolderStore
    )
    store = open_store(bucket + "/a/")
    assert isinstance(store, ObjectStore) and store.location == bucket + "/a"
    assert open_store(store) is store
    with pytest.raises(StoreError, match="a folder or an s3:// URL was wanted, not gs://"):
        open_store("gs://bucket/a")


def test_what_is_written_is_read(store: Store) -> None:
    store.replace("images/0000/a.png", b"first")
    store.replace("images/0000/a.png", memoryview(b"second"))
    assert store.read("images/0000/a.png") == b"second"
    with store.open("images/0000/a.png") as file:
        file.seek(3)
        assert file.read() == b"ond"
    status = store.status("images/0000/a.png")
    assert (status.num_bytes, status.is_regular, status.modified > 1e9) == (6, True, True)


def test_a_file_is_created_once(store: Store) -> None:
    store.create("_versions/1.json", b"first")
    with pytest.raises(FileExistsError):
        store.create("_versions/1.json", b"second")
    assert store.read("_versions/1.json") == b"first"


def test_of_many_creators_one_succeeds(store: Store) -> None:
    won = []

    def create(number: int) -> None:
        try:
            store.create("_versions/1.json", str(number).encode())
            won.append(number)
        except FileExistsError:
            pass

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [str(number).encode() for number in won] == [store.read("_versions/1.json")]


@pytest.mark.parametrize("name", ["a.png", "images/0000/a.png", "folder"])
def test_what_is_missing_is_not_found(store: Store, name: str) -> None:
    store.replace("folder/a.png", b"")
    if name != "folder":
        with pytest.raises(FileNotFoundError):
            store.status(name)
        with pytest.raises(FileNotFoundError), store.open(name):
            pass
    with pytest.raises((FileNotFoundError, IsADirectoryError)):
        store.read(name)


def test_files_are_listed_by_folder(store: Store) -> None:
    assert store.names("images") == []
    for name in ("images/b.png", "images/0001/c.png", "images/0000/a.png", "labels/a.png", "imagesque"):
        store.replace(name, b"12")
    assert store.names("images") == ["images/0000/a.png", "images/0001/c.png", "images/b.png"]
    found = {
        folder: {name: file.num_bytes for name, file in files.items()}
        for folder, files in store.walk("images")
    }
    assert found == {"images": {"b.png": 2}, "images/0000": {"a.png": 2}, "images/0001": {"c.png": 2}}


def test_a_file_is_removed(store: Store) -> None:
    store.replace("a.png", b"1")
    store.remove("a.png")
    store.remove("a.png")
    with pytest.raises(FileNotFoundError):
        store.read("a.png")


def test_a_file_is_replaced_while_that_is_wanted(store: Store) -> None:
    store.replace_while("table", lambda: True, lambda: b"1")
    assert store.read("table") == b"1"
    store.replace_while("table", lambda: False, lambda: b"2")
    assert store.read("table") == b"1"


def test_replacers_never_bring_back_what_is_older(store: Store) -> None:
    # Each replaces the number in the file as long as its own is higher; whoever is late must not lower it.
    store.replace("table", b"0")
    seen = []

    def raise_to(number: int) -> None:
        store.replace_while("table", lambda: int(store.read("table")) < number, lambda: str(number).encode())
        seen.append(int(store.read("table")) >= number)

    threads = [threading.Thread(target=raise_to, args=(number,)) for number in (5, 1, 4, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.read("table") == b"5" and seen == [True] * 5


@pytest.mark.parametrize("name", ["../a", "/a", "a/../../b", "s3://other/a"])
def test_names_that_lead_out_are_refused(store: Store, name: str) -> None:
    for use in (store.read, store.status, store.names, lambda name: store.replace(name, b"")):
        with pytest.raises(UnsafePathError):
            use(name)
    with pytest.raises(UnsafePathError):
        store.create(name, b"")


def test_links_are_told_and_may_not_lead_out(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "root")
    store.replace("images/a.png", b"12")
    (tmp_path / "secret.png").write_bytes(b"123")
    (tmp_path / "root/images/in.png").symlink_to("a.png")
    (tmp_path / "root/images/out.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "root/images/gone.png").symlink_to("nothing.png")
    [(_, files)] = store.walk("images")
    assert {name for name, file in files.items() if not file.is_regular} == {"in.png", "out.png", "gone.png"}
    assert store.status("images/in.png").num_bytes == 2 and store.read("images/in.png") == b"12"
    for use in (store.status, store.read):
        with pytest.raises(UnsafePathError, match="leads out"):
            use("images/out.png")


def test_a_server_that_ignores_conditions_is_refused(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put = ObjectStore._put_if
    monkeypatch.setattr(ObjectStore, "_put_if", lambda store, name, data, **_: put(store, name, data))
    store = open_store(bucket + "/a")
    with pytest.raises(StoreError, match="its server ignores conditional writes"):
        store.create("_versions/1.json", b"")
    with pytest.raises(StoreError, match="its server ignores conditional writes"):
        store.replace_while("table", lambda: True, lambda: b"")
    assert store.names("_versions") == []


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with pytest.raises(StoreError, match=r"the package s3fs is missing; install seg2real\[s3\]"):
        open_store("s3://bucket/a")
