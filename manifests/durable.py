"""Files that are whole or absent: written under a temporary name, synced, renamed into place."""

import errno
import fcntl
import json
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

__all__ = [
    "DiskFullError",
    "LockHeldError",
    "create_durable",
    "exclusive_lock",
    "is_temporary",
    "make_folders",
    "open_durable",
    "sync_folder",
    "write_durable",
]

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_LOCK_POLL_SECONDS = 0.02
_locked_files: set[int] = set()


class DiskFullError(OSError):
    """A file did not fit: no space, no quota, or over the limit on file sizes."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.errno = number


class LockHeldError(RuntimeError):
    """Somebody else holds an exclusive lock; the message says which process on which host."""


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folders(folder: Path) -> None:
    """Create `folder` and its missing parents durably; one that exists is left as it is."""
    if folder.is_dir():
        return
    make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def is_temporary(name: str) -> bool:
    """Whether a file name is one that a killed writer may have left behind."""
    return name.startswith(".") and name.endswith(".tmp")


def write_durable(path: Path, data: bytes | memoryview) -> None:
    """Write `data` to `path`, replacing what was there; a reader sees the old bytes or the new, never a mix.

    Raises:
        DiskFullError: it did not fit; the old file is intact and nothing is left behind.
    """
    with _durable_file(path, os.replace, num_bytes=len(data)) as file:
        file.write(data)


def create_durable(path: Path, data: bytes) -> None:
    """Write `data` to `path` only if nothing is there yet; of several writers exactly one succeeds.

    Raises:
        FileExistsError: somebody was first; their file is untouched.
        DiskFullError: it did not fit; nothing is left behind.
    """
    with _durable_file(path, os.link, num_bytes=len(data)) as file:
        file.write(data)


@contextmanager
def open_durable(path: Path) -> Iterator[BinaryIO]:
    """A binary file to write, which becomes `path` when the block succeeds and vanishes when it fails.

    Raises:
        DiskFullError: it did not fit; the old file is intact and nothing is left behind.
    """
    with _durable_file(path, os.replace) as file:
        yield file


@contextmanager
def _durable_file(
    path: Path, publish: Callable[[Path, Path], None], num_bytes: int | None = None
) -> Iterator[BinaryIO]:
    # The temporary name has a fixed length, so that the longest legal file name can still be written.
    temporary = path.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        publish(temporary, path)
        temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
    except BaseException as error:
        written = 0
        with suppress(OSError):
            written = temporary.stat().st_size
            temporary.unlink()
        # An error that names another file is the caller's own.
        if isinstance(error, OSError) and error.filename in (None, temporary, str(temporary)):
            raise _explained(error, path, num_bytes, written) from error
        raise


def _explained(error: OSError, path: Path, num_bytes: int | None, written: int) -> OSError:
    if error.errno in _FULL:
        free = os.statvfs(path.parent).f_bavail * os.statvfs(path.parent).f_frsize
        needed = (
            f"{num_bytes} bytes were needed"
            if num_bytes is not None
            else f"it was full after {written} bytes"
        )
        limit = {errno.EDQUOT: "the quota is used up, ", errno.EFBIG: "the limit on file sizes is reached, "}
        return DiskFullError(
            f"No space to write {path}: {needed}, {limit.get(error.errno, '')}{free} bytes are free on its "
            "disk; make room and run the same command again.",
            error.errno,
        )
    if error.errno is None:
        return error
    return OSError(error.errno, os.strerror(error.errno), str(path))


@contextmanager
def exclusive_lock(path: Path, *, what: str, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the lock file `path` for the length of the block. The kernel frees it when its holder dies.

    Args:
        path: the lock file; it is created when missing and never removed.
        what: what the lock stands for, to begin the refusal: "The output /data/out".
        wait_seconds: how long to wait for another holder before refusing.

    Raises:
        LockHeldError: another process or thread holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    _locked_files.add(descriptor)
    try:
        _acquire(descriptor, path, what, wait_seconds)
        holder = {"pid": os.getpid(), "host": socket.gethostname()}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        yield
    finally:
        # A forked child that leaves the block has given up its share already.
        if descriptor in _locked_files:
            _locked_files.discard(descriptor)
            os.close(descriptor)


def _acquire(descriptor: int, path: Path, what: str, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise LockHeldError(
                    f"{what} is in use by {_holder(descriptor)} (lock {path}); wait until it is done, "
                    "or end it first."
                ) from None
            time.sleep(_LOCK_POLL_SECONDS)


def _holder(descriptor: int) -> str:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        return f"process {holder['pid']} on host {holder['host']}"
    except (ValueError, KeyError, TypeError):
        return "another process"


def _close_inherited_locks() -> None:
    # A forked child (a data loader's worker) shares the lock; it must not outlive a parent that was killed.
    for descriptor in _locked_files:
        os.close(descriptor)
    _locked_files.clear()


os.register_at_fork(after_in_child=_close_inherited_locks)
