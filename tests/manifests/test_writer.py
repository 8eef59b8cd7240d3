"""Parquet bytes: deterministic, checked, readable by others."""

import io
from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.schema import to_table, with_version_number
from manifests.writer import table_bytes


@pytest.fixture
def table(make_record: Callable, palette: dict) -> pa.Table:
    return to_table([make_record(f"{number:03d}") for number in range(50)], palette=palette)


def test_equal_rows_give_equal_bytes_however_they_were_put_together(table: pa.Table) -> None:
    pieces = pa.concat_tables([table.slice(0, 7), table.slice(7, 30), table.slice(37)])
    shuffled = pieces.replace_schema_metadata(dict(reversed(list(pieces.schema.metadata.items()))))
    assert shuffled["sample_id"].num_chunks == 3
    assert table_bytes(shuffled) == table_bytes(table)


def test_the_file_has_what_readers_skip_and_check_by(table: pa.Table) -> None:
    column = pq.ParquetFile(io.BytesIO(table_bytes(table))).metadata.row_group(0).column(0)
    assert column.compression == "ZSTD"
    assert column.has_column_index and column.has_offset_index
    assert (column.statistics.min, column.statistics.max) == (
        table["sample_id"][0].as_py(),
        table["sample_id"][-1].as_py(),
    )


def test_a_flipped_bit_in_the_rows_is_noticed(table: pa.Table) -> None:
    data = bytearray(table_bytes(table))
    data[len(data) // 4] ^= 1
    with pytest.raises(OSError, match="CRC"):
        pq.ParquetFile(io.BytesIO(data), page_checksum_verification=True).read()


def test_pandas_reads_it_plainly(table: pa.Table) -> None:
    frame = pd.read_parquet(io.BytesIO(table_bytes(table.cast(with_version_number(table.schema, 3)))))
    assert list(frame.columns) == table.schema.names
    assert frame["sample_id"].tolist() == table["sample_id"].to_pylist()
    assert frame["width"].dtype == "int32" and frame["accepted"].dtype == bool
