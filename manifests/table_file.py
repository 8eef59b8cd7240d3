"""A manifest's Parquet file, read whole or in parts; what is damaged is said in one sentence."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.schema import with_later_columns

__all__ = ["ManifestError", "TableFile"]


class ManifestError(ValueError):
    """A dataset whose table or version records are missing or damaged."""


class TableFile:
    """A Parquet file whose page checksums are verified while reading.

    Args:
        source: its bytes, or the file.
        where: what it is called in a refusal.

    Raises:
        ManifestError: it is no Parquet file.
    """

    def __init__(self, source: bytes | memoryview | BinaryIO, *, where: str):
        self._where = where
        is_file = hasattr(source, "read")
        with self._explained():
            reader = source if is_file else pa.BufferReader(source)
            self._file = pq.ParquetFile(reader, page_checksum_verification=True)
        self.schema: pa.Schema = self._file.schema_arrow
        self.num_rows: int = self._file.metadata.num_rows

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """All rows, or some of their columns. Raises ManifestError when they are damaged."""
        with self._explained():
            if columns is None:
                return with_later_columns(self._file.read())
            return self._file.read(columns=list(columns))

    def parts(self) -> Iterator[pa.Table]:
        """All rows, a row group at a time; the next one is read meanwhile. Raises ManifestError when one is
        damaged."""
        with ThreadPoolExecutor(1, thread_name_prefix="read") as ahead:
            coming = [ahead.submit(self._file.read_row_group, 0)] if self._file.num_row_groups else []
            for number in range(1, self._file.num_row_groups + 1):
                if number < self._file.num_row_groups:
                    coming.append(ahead.submit(self._file.read_row_group, number))
                with self._explained():
                    part = coming.pop(0).result()
                yield with_later_columns(part)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowInvalid, OSError) as error:
            raise ManifestError(f"{self._where} cannot be read: {error}.") from error
