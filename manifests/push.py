"""From one place to another: a dataset's newest version, with its files."""

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from manifests.about import read_about, write_about
from manifests.commit import commit
from manifests.description import describe_dataset
from manifests.files import NAME_COLUMNS
from manifests.manifest import Manifest
from manifests.storage.opening import Root
from manifests.storage.store import Store

__all__ = ["Pushed", "PushError", "push"]

_ROWS_PER_STEP = 64


class PushError(ValueError):
    """A file that is not what its row says, and so is not passed on."""


class Pushed(NamedTuple):
    """What was done."""

    version: int
    """Newest version of the target."""
    num_copied: int
    num_bytes: int


def push(
    source: Root | Store,
    target: Root | Store,
    *,
    message: str = "",
    num_workers: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Pushed:
    """Make the target's newest version hold the source's rows, in one commit.

    Files of rows that the target has already are not copied again; the others are, and hashed on the way,
    before the commit names them. Killed on the way it leaves files that no version names; run again, it goes
    on with the whole change.

    Args:
        source: a dataset's folder or URL.
        target: another, which is made when there is none.
        message: what changed, for people; the source's version if left out.
        num_workers: threads; 0 = four per core, since they mostly wait.
        progress: called with rows done and rows in all, from the calling thread.

    Raises:
        PushError: a file of the source is not the one that was published.
        ConflictError: another writer changed the target meanwhile; or the two have other classes.
        ManifestError: one of the two is damaged.
        StoreError: no dataset can be kept at such a root.
    """
    here, there = Manifest.open(source), Manifest.open(target)
    present = {row["sample_id"]: row for row in _files(there)}
    rows = [row for row in _files(here) if present.get(row["sample_id"]) != row]
    num_copied = num_bytes = 0
    with ThreadPoolExecutor(num_workers or 4 * (os.cpu_count() or 1), thread_name_prefix="push") as threads:
        for start in range(0, len(rows), _ROWS_PER_STEP):
            step = rows[start : start + _ROWS_PER_STEP]
            for sizes in threads.map(lambda row: _copy(row, here.store, there.store), step):
                num_copied += len(sizes)
                num_bytes += sum(sizes)
            if progress is not None:
                progress(start + len(step), len(rows))
    version = commit(
        there.store,
        here.table,
        present,
        message=message or f"version {here.version} of {here.store.location}",
        expected_parent=there.version,
    )
    write_about(there.store, read_about(here.store))
    describe_dataset(there.store)
    return Pushed(version, num_copied, num_bytes)


def _files(manifest: Manifest) -> list[dict[str, str]]:
    """Of each row the id, and the names and hashes of its files."""
    columns = ["sample_id", *NAME_COLUMNS, "image_sha256", "label_sha256"]
    return manifest.table.select(columns).to_pylist()


def _copy(row: dict[str, str], here: Store, there: Store) -> list[int]:
    """Copy a row's files; their sizes in bytes."""
    sizes = []
    for column in NAME_COLUMNS:
        data = here.read(row[column])
        if hashlib.sha256(data).hexdigest() != row[column.replace("file_name", "sha256")]:
            raise PushError(
                f"{here.location}/{row[column]} is not the file that was published; `seg2real verify --deep` "
                "says what else is wrong."
            )
        there.replace(row[column], data)
        sizes.append(len(data))
    return sizes
