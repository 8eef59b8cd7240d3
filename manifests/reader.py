"""From a dataset's root to its published rows."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pyarrow as pa

from manifests.schema import SampleRecord, check_schema, from_table
from manifests.storage.opening import Root, open_store
from manifests.storage.store import Store
from manifests.table_file import ManifestError, TableFile

__all__ = ["TABLE_NAME", "read_records", "read_schema", "read_table"]

TABLE_NAME = "metadata.parquet"


def read_schema(root: Root | Store) -> pa.Schema:
    """Columns, palette and version of the published table; reads the file's end only.

    Raises:
        ManifestError: there is no table, or it cannot be read.
    """
    with _published(open_store(root)) as file:
        return file.schema


def read_table(root: Root | Store, columns: Sequence[str] | None = None) -> pa.Table:
    """The published table, always a committed one, or some of its columns.

    Raises:
        ManifestError: there is no table, or it is damaged.
        SchemaError: it is no manifest.
    """
    with _published(open_store(root)) as file:
        check_schema(file.schema)
        return file.read(columns)


def read_records(root: Root | Store) -> list[SampleRecord]:
    """The published rows as records. Raises what `read_table` raises."""
    return from_table(read_table(root))


@contextmanager
def _published(store: Store) -> Iterator[TableFile]:
    with ExitStack() as stack:
        try:
            source = stack.enter_context(store.open(TABLE_NAME))
        except FileNotFoundError:
            raise ManifestError(
                f"There is no dataset at {store.location}: {TABLE_NAME} is missing."
            ) from None
        yield TableFile(source, where=f"{store.location}/{TABLE_NAME}")
