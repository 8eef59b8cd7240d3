"""From a dataset's root to its published rows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.schema import SampleRecord, check_schema, from_table, with_later_columns
from manifests.storage.opening import Root, open_store
from manifests.storage.store import Store

__all__ = [
    "TABLE_NAME",
    "ManifestError",
    "open_parquet",
    "read_records",
    "read_schema",
    "read_table",
]

TABLE_NAME = "metadata.parquet"


class ManifestError(ValueError):
    """A dataset whose table or version records are missing or damaged."""


@contextmanager
def open_parquet(source: bytes | BinaryIO, *, where: str) -> Iterator[pq.ParquetFile]:
    """A Parquet file whose page checksums are verified while reading; `where` names it in the refusal.

    Raises:
        ManifestError: it is no Parquet file, or it is found damaged in the block.
    """
    try:
        reader = pa.BufferReader(source) if isinstance(source, bytes) else source
        with pq.ParquetFile(reader, page_checksum_verification=True) as file:
            yield file
    except (pa.ArrowInvalid, OSError) as error:
        raise ManifestError(f"{where} cannot be read: {error}.") from error


@contextmanager
def _published(store: Store) -> Iterator[pq.ParquetFile]:
    where = f"{store.location}/{TABLE_NAME}"
    try:
        opened = store.open(TABLE_NAME)
        with opened as source, open_parquet(source, where=where) as file:
            yield file
    except FileNotFoundError:
        raise ManifestError(f"There is no dataset at {store.location}: {TABLE_NAME} is missing.") from None


def read_schema(root: Root | Store) -> pa.Schema:
    """Columns, palette and version of the published table; reads the file's end only.

    Raises:
        ManifestError: there is no table, or it cannot be read.
    """
    with _published(open_store(root)) as file:
        return file.schema_arrow


def read_table(root: Root | Store, columns: Sequence[str] | None = None) -> pa.Table:
    """The published table, always a committed one, or some of its columns.

    Raises:
        ManifestError: there is no table, or it is damaged.
        SchemaError: it is no manifest.
    """
    with _published(open_store(root)) as file:
        check_schema(file.schema_arrow)
        return with_later_columns(file.read()) if columns is None else file.read(columns=list(columns))


def read_records(root: Root | Store) -> list[SampleRecord]:
    """The published rows as records. Raises what `read_table` raises."""
    return from_table(read_table(root))
