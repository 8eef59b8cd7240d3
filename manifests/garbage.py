"""What a dataset no longer needs: old versions, and files that no version names."""

import time
from datetime import timedelta
from typing import NamedTuple

from manifests.durable import is_temporary
from manifests.files import named_by_staged, named_by_versions
from manifests.merge import ConflictError
from manifests.storage.opening import Root, open_store
from manifests.storage.store import Store
from manifests.versions import (
    VERSIONS_FOLDER,
    VersionRecord,
    publish_newest,
    read_version,
    record_name,
    table_name,
    version_numbers,
)

__all__ = ["DEFAULT_GRACE", "Garbage", "collect_garbage", "find_garbage"]

DEFAULT_GRACE = timedelta(days=7)
"""Longer than any writer works before it commits: what is younger may belong to one."""
_FOLDERS_OF_FILES = ("images", "labels")


class Garbage(NamedTuple):
    """What can go."""

    versions: tuple[int, ...]
    """Versions that can be forgotten, ascending."""
    names: tuple[str, ...]
    """Files to remove, the records and tables of these versions first."""
    num_bytes: int
    newest: int
    """The version that was newest when it was looked for."""


def find_garbage(
    root: Root | Store, *, keep_versions: int | None = None, grace: timedelta = DEFAULT_GRACE
) -> Garbage:
    """Look for what can go; nothing is changed.

    It is: versions older than the newest `keep_versions`, with their tables; tables that no version record
    names; half-written files; images and labels that no row of a remaining version names, nor a row that
    waits for its publishing. Whatever is younger than the grace period stays.

    Args:
        root: the dataset's folder or URL.
        keep_versions: at least 1; None = all.
        grace: age from which a file is nobody's work in progress.

    Raises:
        ManifestError: a version is damaged, so that nobody knows what it names.
    """
    store = open_store(root)
    before = time.time() - grace.total_seconds()
    records = [read_version(store, number) for number in version_numbers(store)]
    newest = records[-1].version if records else 0
    outdated = records[:-keep_versions] if keep_versions else []
    old = [record for record in outdated if record.created.timestamp() <= before]
    kept = [record for record in records if record not in old]
    forgotten = [name for record in old for name in _own_files(record)]
    needed = {name for record in kept for name in _own_files(record)}
    needed |= named_by_versions(store, [record.version for record in kept]) | named_by_staged(store)

    # Of each version the record goes first, so that no record is without its table.
    found: dict[str, int] = {}
    for folder in (VERSIONS_FOLDER, *_FOLDERS_OF_FILES):
        for parent, files in store.walk(folder):
            for base, file in sorted(files.items()):
                name = f"{parent}/{base}"
                if name in forgotten or (
                    name not in needed and file.modified <= before and _can_be_garbage(parent, base)
                ):
                    found[name] = file.num_bytes
    names = [name for name in forgotten if name in found]
    names += [name for name in found if name not in forgotten]
    return Garbage(tuple(record.version for record in old), tuple(names), sum(found.values()), newest)


def collect_garbage(root: Root | Store, garbage: Garbage) -> None:
    """Remove what was found. A kill in between leaves the rest, to be found again.

    Raises:
        ConflictError: a version was committed meanwhile, whose rows may name a file that was to go.
    """
    store = open_store(root)
    publish_newest(store)
    if garbage.newest != max(version_numbers(store), default=0):
        raise ConflictError(f"{store.location} has a new version; look for garbage again.")
    for name in garbage.names:
        store.remove(name)


def _own_files(record: VersionRecord) -> tuple[str, str]:
    return record_name(record.version), table_name(record)


def _can_be_garbage(folder: str, base: str) -> bool:
    """Beside the versions lie a lock and their records, which stay."""
    return folder != VERSIONS_FOLDER or is_temporary(base) or base.endswith(".parquet")
