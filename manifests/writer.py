"""From a table to the bytes of a Parquet file."""

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["table_bytes"]

_ROWS_PER_GROUP = 131_072


def table_bytes(table: pa.Table) -> bytes:
    """A Parquet file with statistics, page index and page checksums; equal tables give equal bytes."""
    # How rows were put together must not show in the pages, nor the order in which schema keys were set.
    metadata = dict(sorted((table.schema.metadata or {}).items()))
    whole = table.combine_chunks().replace_schema_metadata(metadata)
    sink = pa.BufferOutputStream()
    pq.write_table(
        whole,
        sink,
        compression="zstd",
        row_group_size=_ROWS_PER_GROUP,
        write_statistics=True,
        write_page_index=True,
        write_page_checksum=True,
    )
    return sink.getvalue().to_pybytes()
