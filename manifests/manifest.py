"""A committed version of a dataset, opened."""

import logging
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from manifests.reader import TABLE_NAME, read_table
from manifests.schema import SCHEMA, SampleRecord, class_names, from_table, palette_of, version_number
from manifests.storage.opening import Root, open_store
from manifests.storage.store import Store
from manifests.versions import (
    is_unversioned,
    publish_newest,
    read_version,
    read_version_table,
    version_numbers,
)

__all__ = ["Manifest"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One committed version of a dataset: its rows, and the store that its files lie in."""

    store: Store
    version: int
    """0 = nothing has been committed yet."""
    table: pa.Table
    """Its rows, ordered by sample_id."""

    @classmethod
    def open(cls, root: Root | Store, *, version: int | None = None) -> "Manifest":
        """The newest committed version, or an older one.

        If the last writer died between committing and publishing, its version is published now.

        Args:
            root: the dataset's folder, or its s3:// URL.
            version: None = the newest.

        Raises:
            ManifestError: there is no such version, or a file of it is damaged.
            StoreError: no dataset can be kept at such a root.
        """
        store = open_store(root)
        if version is not None:
            return cls(store, version, read_version_table(store, read_version(store, version)))
        if is_unversioned(store):
            table = read_table(store)
            return cls(store, version_number(table.schema), table)
        try:
            publish_newest(store)
        except OSError as error:
            logger.warning(
                "%s: %s may be behind by a version and cannot be written: %s",
                store.location,
                TABLE_NAME,
                error,
            )
        return cls.newest(store)

    @classmethod
    def newest(cls, store: Store) -> "Manifest":
        """The newest version by the records, whatever is published."""
        numbers = version_numbers(store)
        if not numbers:
            return cls(store, 0, SCHEMA.empty_table())
        return cls.open(store, version=numbers[-1])

    @property
    def records(self) -> list[SampleRecord]:
        """The rows as records."""
        return from_table(self.table)

    @property
    def palette(self) -> dict[str, Any]:
        """The palette as plain JSON values, as `manifests.schema.to_table` has it; the position of a class is
        its id."""
        return palette_of(self.table.schema)

    @property
    def class_names(self) -> tuple[str, ...]:
        """In palette order."""
        return class_names(self.table.schema)
