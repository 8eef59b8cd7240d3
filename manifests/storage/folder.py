"""A dataset in a folder of this machine, or in one that it has mounted."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from manifests.durable import create_durable, exclusive_lock, make_folders, write_durable
from manifests.paths import check_relative, inside
from manifests.storage.store import FileStatus, Store

__all__ = ["FolderStore"]

_LOCK_NAME = "_versions/publish.lock"
_LOCK_WAIT_SECONDS = 600


def _status(found: os.stat_result) -> FileStatus:
    return FileStatus(found.st_size, found.st_mtime, stat.S_ISREG(found.st_mode))


class FolderStore(Store):
    """A folder of this machine, or one that it has mounted; needs hard links, fsync and flock."""

    def __init__(self, root: str | os.PathLike[str]):
        self.root = Path(root)
        self.location = str(self.root)

    def read(self, name: str) -> bytes:
        return inside(self.root, name).read_bytes()

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        with pa.OSFile(str(inside(self.root, name))) as file:
            yield file

    def status(self, name: str) -> FileStatus:
        return _status(inside(self.root, name).stat())

    def walk(self, folder: str) -> Iterator[tuple[str, dict[str, FileStatus]]]:
        path = inside(self.root, folder)
        if not path.is_dir():
            return
        files, folders = {}, []
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{folder}/{entry.name}")
                else:
                    with suppress(FileNotFoundError):  # removed meanwhile
                        files[entry.name] = _status(entry.stat(follow_symlinks=False))
        yield folder, files
        for name in sorted(folders):
            yield from self.walk(name)

    def names(self, folder: str) -> list[str]:
        # Without a look at each file: a dataset has as many versions as commits, and each commit lists them.
        found = os.walk(inside(self.root, folder))
        root = os.path.realpath(self.root)
        return sorted(
            os.path.relpath(os.path.join(parent, name), root).replace(os.sep, "/")
            for parent, _, names in found
            for name in names
        )

    def replace(self, name: str, data: bytes | memoryview) -> None:
        write_durable(self._place(name), data)

    def create(self, name: str, data: bytes) -> None:
        create_durable(self._place(name), data)

    def replace_while(self, name: str, is_wanted: Callable[[], bool], data: Callable[[], bytes]) -> None:
        lock = self._place(_LOCK_NAME)
        with exclusive_lock(lock, what=f"Publishing to {self.root}", wait_seconds=_LOCK_WAIT_SECONDS):
            if is_wanted():
                self.replace(name, data())

    def remove(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)

    def _place(self, name: str) -> Path:
        check_relative(name)
        path = self.root / name
        make_folders(path.parent)
        return path
