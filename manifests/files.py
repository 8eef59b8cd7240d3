"""Which files belong to a dataset: those that the rows of a version name, or rows that wait for theirs."""

from collections.abc import Iterable
from contextlib import suppress

import pyarrow as pa

from manifests.storage.store import Store
from manifests.table_file import ManifestError, TableFile
from manifests.versions import read_version, read_version_table, version_numbers

__all__ = ["NAME_COLUMNS", "STAGING_FOLDER", "named_by_others", "named_by_versions", "named_in"]

STAGING_FOLDER = "_staging"
"""Holds the rows of work that is done and not published yet, as tables."""
NAME_COLUMNS = ("image_file_name", "label_file_name")


def named_in(table: pa.Table) -> set[str]:
    """The files that a table's rows name."""
    return {name for column in NAME_COLUMNS for name in table[column].to_pylist()}


def named_by_versions(store: Store, numbers: Iterable[int]) -> set[str]:
    """The files that rows of some versions name. Raises ManifestError when a version is damaged."""
    names: set[str] = set()
    for number in numbers:
        names |= named_in(read_version_table(store, read_version(store, number), columns=NAME_COLUMNS))
    return names


def named_by_staged(store: Store) -> set[str]:
    """The files that rows name which are done and not published yet."""
    names: set[str] = set()
    for name in store.names(STAGING_FOLDER):
        if name.endswith(".parquet"):
            # One that has been published meanwhile is no longer there.
            with suppress(FileNotFoundError):
                names |= named_in(TableFile(store.read(name), where=name).read(NAME_COLUMNS))
    return names


def named_by_others(store: Store) -> set[str]:
    """The files that rows of any version name, or rows that wait; a damaged version names none."""
    names = named_by_staged(store)
    for number in version_numbers(store):
        with suppress(ManifestError):
            names |= named_by_versions(store, [number])
    return names
