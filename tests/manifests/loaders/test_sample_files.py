"""Files are read quickly, and never from outside."""

import os
import pickle
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.loaders.sample_files import SampleFile, SampleFiles, check_links, check_names
from manifests.paths import UnsafePathError, check_relative
from manifests.storage.opening import open_store

PARTS = st.sampled_from(
    ["a", "..", ".", "...", "", "a.png", " ", "\n", "\\", "\0", "C:", "s3:", "a:b", "\u00e9", "1:"]
)


def refusal(check: Callable, *arguments: object) -> str:
    try:
        check(*arguments)
    except UnsafePathError as error:
        return str(error)
    return ""


@settings(deadline=None)
@given(st.lists(st.lists(PARTS, max_size=4).map("/".join), max_size=3))
def test_names_are_judged_as_one_by_one(names: list[str]) -> None:
    refused = [text for name in names if (text := refusal(check_relative, name))]
    assert refusal(check_names, pa.array(names, pa.string())) == (refused[0] if refused else "")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A dataset's folder with a file, links to it, and links to a secret outside."""
    root, outside = tmp_path / "root", tmp_path / "root-outside"
    for folder in (root / "images" / "0000", outside):
        folder.mkdir(parents=True)
    (root / "images" / "0000" / "a.png").write_bytes(b"inside")
    (outside / "a.png").write_bytes(b"secret")
    (root / "images" / "0000" / "inside.png").symlink_to("a.png")
    (root / "images" / "0000" / "outside.png").symlink_to(outside / "a.png")
    (root / "images" / "same").symlink_to("0000")
    (root / "images" / "elsewhere").symlink_to(outside)
    return root


def read(root: Path, name: str, num_bytes: int = 6) -> bytes:
    files = SampleFiles(open_store(root))
    return files.read(files.locate([name], [num_bytes])[0])


@pytest.mark.parametrize("name", ["0000/a.png", "0000/inside.png", "same/a.png", "same/inside.png"])
def test_files_and_links_inside_are_read(root: Path, name: str) -> None:
    assert read(root, f"images/{name}") == b"inside"
    check_links(open_store(root), pa.array([f"images/{name}"]))


@pytest.mark.parametrize("name", ["0000/outside.png", "elsewhere/a.png", "same/outside.png"])
def test_links_that_lead_out_are_refused(root: Path, name: str) -> None:
    with pytest.raises(UnsafePathError, match="leads out"):
        read(root, f"images/{name}")
    with pytest.raises(UnsafePathError, match="leads out"):
        check_links(open_store(root), pa.array(["images/0000/a.png", f"images/{name}"]))


def test_a_root_that_is_a_link_and_files_beside_the_table(root: Path) -> None:
    (root.parent / "link").symlink_to(root)
    (root / "a.png").write_bytes(b"beside")
    assert read(root.parent / "link", "a.png") == b"beside"
    assert read(root.parent / "link", "images/0000/a.png") == b"inside"


@pytest.mark.parametrize(("length", "found"), [(4, b"insid"), (6, b"inside"), (9, b"inside")])
def test_a_wrong_length_shows(root: Path, length: int, found: bytes) -> None:
    assert read(root, "images/0000/a.png", length) == found


def test_what_cannot_be_read_is_named(root: Path) -> None:
    for name, error in (("images/0000/gone.png", FileNotFoundError), ("images/0000", IsADirectoryError)):
        with pytest.raises(error, match=name):
            read(root, name)


def test_a_pipe_holds_nobody_up(root: Path) -> None:
    os.mkfifo(root / "images" / "pipe.png")
    assert read(root, "images/pipe.png") == b""


def test_files_can_be_handed_to_another_process(root: Path) -> None:
    files = pickle.loads(pickle.dumps(SampleFiles(open_store(root))))
    assert files.read(files.locate(["images/0000/a.png"], [6])[0]) == b"inside"


def test_an_object_store_is_read_in_threads(bucket: str) -> None:
    store = open_store(f"{bucket}/soccer")
    names = [f"images/{number}.png" for number in range(6)]
    for name in names:
        store.replace(name, name.encode())
    files = SampleFiles(store)
    located = files.locate(names, [len(name) for name in names])
    readers = set()

    def read_one(file: SampleFile) -> bytes:
        readers.add(threading.current_thread().name)
        return files.read(file)

    assert files.in_threads(read_one, located) == [name.encode() for name in names]
    assert all(name.startswith("read") for name in readers)
    again = pickle.loads(pickle.dumps(files))
    assert again.read(located[0]) == names[0].encode()
    check_links(store, pa.array(names))


@pytest.mark.filterwarnings(
    "ignore:.*multi-threaded.*fork:DeprecationWarning"
)  # Python 3.12: at your own risk
def test_a_forked_child_opens_its_own_connections(bucket: str) -> None:
    store = open_store(f"{bucket}/soccer")
    store.replace("a.png", b"a")
    files = SampleFiles(store)
    located = files.locate(["a.png"], [1])
    assert files.in_threads(files.read, located) == [b"a"]
    child = os.fork()
    if not child:
        os._exit(0 if files.in_threads(files.read, located) == [b"a"] else 1)
    assert os.waitpid(child, 0)[1] == 0
