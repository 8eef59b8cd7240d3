"""From rows to the bytes of a Parquet file."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["ROWS_PER_GROUP", "table_bytes", "write_rows"]

ROWS_PER_GROUP = 65_536
"""Of a manifest's row groups, the last one excepted."""

_ALL_DIFFERENT = {
    "sample_id",
    "image_file_name",
    "label_file_name",
    "image_sha256",
    "label_sha256",
    "source_label",
    "source_sha256",
    "class_pixel_counts",
    "mask_coverage",
}
"""Columns in which a dictionary would find next to nothing."""


def table_bytes(table: pa.Table) -> memoryview:
    """A Parquet file of a table; equal tables give equal bytes."""
    return write_rows([table], table.schema)


def write_rows(parts: Iterable[pa.Table], schema: pa.Schema) -> memoryview:
    """A Parquet file of parts that follow each other, with statistics, page index and page checksums.

    The same rows give the same bytes however they are cut into parts; one row group at a time is held beside
    the file.
    """
    # The order in which schema keys were set must not show, nor how rows were put together.
    schema = schema.with_metadata(dict(sorted((schema.metadata or {}).items())))
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        use_dictionary=[field.name for field in schema if field.name not in _ALL_DIFFERENT],
        write_statistics=True,
        write_page_index=True,
        write_page_checksum=True,
    ) as writer:
        waiting = schema.empty_table()
        for part in parts:
            waiting = pa.concat_tables([waiting, part.replace_schema_metadata(schema.metadata)])
            while waiting.num_rows >= ROWS_PER_GROUP:
                _write_group(writer, waiting.slice(0, ROWS_PER_GROUP))
                waiting = waiting.slice(ROWS_PER_GROUP)
        if waiting.num_rows:
            _write_group(writer, waiting)
    return memoryview(sink.getvalue())


def _write_group(writer: pq.ParquetWriter, rows: pa.Table) -> None:
    writer.write_table(rows.combine_chunks(), row_group_size=ROWS_PER_GROUP)
