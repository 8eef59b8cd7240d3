"""Files of a dataset, read by the thousand: names are judged once, links once per folder."""

import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from manifests.paths import check_relative, inside
from manifests.storage.folder import FolderStore
from manifests.storage.opening import open_store
from manifests.storage.store import Store

__all__ = ["SampleFile", "SampleFiles", "check_links", "check_names"]

_MAYBE_UNSAFE = r"(^|/)\.{0,2}(/|$)|[\\\x00]|^[A-Za-z][A-Za-z0-9+.-]*:"
"""What `manifests.paths.check_relative` refuses, for Arrow."""
_NUM_READERS = 16

# Not through a link; and not to block, since nobody may ever write to what turns out to be a pipe.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK

Item = TypeVar("Item")
Result = TypeVar("Result")


class SampleFile(NamedTuple):
    """A file that is about to be read."""

    name: str
    """Relative to the dataset's root."""
    place: str | None
    """Its path with all folders followed, in a folder of this machine."""
    num_bytes: int
    """How long it should be."""


def check_names(names: pa.StringArray) -> None:
    """Refuse names of which one is not plainly relative and inside, all at once.

    Raises:
        UnsafePathError: what `manifests.paths.check_relative` says of the first one.
    """
    for name in names.filter(pc.match_substring_regex(names, _MAYBE_UNSAFE)).to_pylist():
        check_relative(name)


def check_links(store: Store, names: pa.StringArray) -> None:
    """Refuse names of which one is a link that leads out of the dataset; it takes a listing of each folder.

    Raises:
        UnsafePathError: what `manifests.paths.inside` says of the first one.
    """
    if not isinstance(store, FolderStore):
        return
    by_folder: dict[str, list[str]] = {}
    for name in names.to_pylist():
        folder, _, base_name = name.rpartition("/")
        by_folder.setdefault(folder, []).append(base_name)
    for folder, base_names in by_folder.items():
        path = inside(store.root, folder) if folder else store.root
        with os.scandir(path) as entries:
            links = {entry.name for entry in entries if entry.is_symlink()}
        for base_name in links.intersection(base_names):
            inside(store.root, f"{folder}/{base_name}" if folder else base_name)


class SampleFiles:
    """The files of a dataset, to be read by any threads, and by processes that it is handed to.

    Names must have passed `check_names`. No link is followed unseen: a folder's are followed when a file in
    it is first located, and those of a file that turns out to be one when it is read; both must stay inside.

    Args:
        store: where the files lie.
    """

    def __init__(self, store: Store):
        self._location = store.location
        self._open(store)

    def locate(self, names: Sequence[str], num_bytes: Sequence[int]) -> list[SampleFile]:
        """Where files are that rows name. Raises UnsafePathError when a folder is a link that leads out."""
        places = map(self._place, names) if self._root is not None else itertools.repeat(None)
        return list(map(SampleFile, names, places, num_bytes))

    def read(self, file: SampleFile) -> bytes:
        """The bytes of a file; if it is not as long as it should be, then some other number of them.

        Raises:
            OSError: it cannot be read.
            UnsafePathError: it is a link that leads out of the root.
        """
        if file.place is None:
            return self._own_store().read(file.name)
        try:
            descriptor = os.open(file.place, _FLAGS)
            try:
                return os.read(descriptor, file.num_bytes + 1)
            finally:
                os.close(descriptor)
        except OSError:
            # It is a link, or missing; the careful way knows, and calls it by its name.
            return self._store.read(file.name)

    def in_threads(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """The results of a function that reads; in threads where each file takes a request to a server."""
        if self._root is not None:
            return [function(item) for item in items]
        self._own_store()
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_NUM_READERS, thread_name_prefix="read")
        return list(self._threads.map(function, items))

    def _place(self, name: str) -> str:
        folder_name, _, base_name = name.rpartition("/")
        folder = self._folders.get(folder_name)
        if folder is None:
            folder = str(inside(self._root, folder_name)) if folder_name else os.path.realpath(self._root)
            self._folders[folder_name] = folder
        return f"{folder}/{base_name}"

    def _own_store(self) -> Store:
        # Connections and threads do not survive a fork.
        if self._process != os.getpid():
            self._open(open_store(self._location))
        return self._store

    def _open(self, store: Store) -> None:
        self._store = store
        self._root = store.root if isinstance(store, FolderStore) else None
        self._folders: dict[str, str] = {}
        self._threads: ThreadPoolExecutor | None = None
        self._process = os.getpid()

    def __getstate__(self) -> str:
        return self._location

    def __setstate__(self, location: str) -> None:
        self._location = location
        self._open(open_store(location))
