"""What can be seen of rows without opening any file but the table."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manifests.reader import TABLE_NAME
from manifests.schema import SCHEMA, SPLITS
from manifests.verification.findings import MAX_KEPT, Finding

__all__ = ["check_uniqueness", "check_values", "is_filled"]

_UNIQUE = {
    "sample_id": "duplicate_sample_id",
    "image_file_name": "shared_file",
    "label_file_name": "shared_file",
}


def is_filled(rows: pa.Table) -> pa.ChunkedArray:
    """bool [N]: whether a row has a value in each column that needs one."""
    filled = pa.chunked_array([np.ones(rows.num_rows, bool)])
    for field in SCHEMA:
        if not field.nullable and rows[field.name].null_count:
            filled = pc.and_(filled, pc.is_valid(rows[field.name]))
    return filled


def check_values(rows: pa.Table, num_classes: int) -> Iterator[Finding]:
    """Whether the values of rows without gaps are possible, and fit each other."""
    counts = rows["class_pixel_counts"].combine_chunks()
    lengths = pc.list_value_length(counts)
    num_pixels = pc.multiply(rows["width"].cast(pa.int64()), rows["height"].cast(pa.int64()))
    summed = pa.array(_sums(counts, lengths))
    reason = pc.fill_null(rows["reject_reason"], "")
    rules = (
        ("bad_value", pc.invert(pc.is_in(rows["split"], value_set=pa.array(SPLITS))), _no_split),
        ("bad_value", pc.less(pc.min_element_wise(rows["width"], rows["height"]), 1), _no_size),
        ("bad_value", pc.invert(_is_fraction(rows["mask_coverage"])), _no_fraction),
        ("bad_value", pc.and_not(pc.equal(reason, ""), rows["accepted"]), _no_reason),
        ("wrong_pixel_counts", pc.not_equal(lengths, num_classes), _other_classes(num_classes)),
        ("wrong_pixel_counts", pc.not_equal(summed, num_pixels), _other_sum),
    )
    for code, is_broken, say in rules:
        for some in rows.filter(is_broken).to_batches(max_chunksize=MAX_KEPT):
            for row in some.to_pylist():
                yield Finding(code=code, where=TABLE_NAME, what=say(row), sample_id=row["sample_id"])


def check_uniqueness(rows: pa.Table) -> Iterator[Finding]:
    """Whether rows have names and files of their own."""
    for column, code in _UNIQUE.items():
        counts = rows.select([column]).group_by(column).aggregate([(column, "count")])
        for row in counts.filter(pc.greater(counts[f"{column}_count"], 1)).to_pylist():
            what = f"{row[f'{column}_count']} rows have the {column} '{row[column]}'"
            yield Finding(code=code, where=TABLE_NAME, what=what)


def _sums(counts: pa.ListArray, lengths: pa.Array) -> np.ndarray:
    """int64 [N]: the sum of each list."""
    ends = np.cumsum(lengths.to_numpy(zero_copy_only=False), dtype=np.int64)
    running = np.concatenate([[0], np.cumsum(counts.flatten().to_numpy(zero_copy_only=False))])
    return np.diff(running[np.concatenate([[0], ends])])


def _is_fraction(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.and_(pc.greater_equal(values, 0), pc.less_equal(values, 1))


def _no_split(row: dict) -> str:
    return f"split is '{row['split']}', not one of {', '.join(SPLITS)}"


def _no_size(row: dict) -> str:
    return f"the size is {row['width']}x{row['height']}"


def _no_fraction(row: dict) -> str:
    return f"mask_coverage is {row['mask_coverage']}, not in 0 to 1"


def _no_reason(row: dict) -> str:
    return "it is rejected without a reason"


def _other_classes(num_classes: int):
    return lambda row: f"it has {len(row['class_pixel_counts'])} class_pixel_counts for {num_classes} classes"


def _other_sum(row: dict) -> str:
    num_pixels = row["width"] * row["height"]
    return f"class_pixel_counts add up to {sum(row['class_pixel_counts'])}, not {num_pixels}"
