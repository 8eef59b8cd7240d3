"""Which rows of a dataset are exported, and in which order."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from manifests.exports.classes import ExportError
from manifests.exports.sample import Facts
from manifests.manifest import Manifest
from manifests.schema import SPLITS, SampleRecord, from_table

__all__ = ["Chosen", "chosen", "num_rows", "rows_to_export"]

_ROWS_PER_STEP = 1_024


class Chosen(NamedTuple):
    """A row to export."""

    record: SampleRecord
    number: int
    """Its place in its split, from 0."""
    num_seen: int
    """Rows so far, this one and those that were skipped included."""


def rows_to_export(
    manifest: Manifest, splits: Sequence[str], *, accepted_only: bool, facts: Facts
) -> pa.Table:
    """Rows by split and sample_id; those that were rejected are counted as skipped.

    Raises:
        ExportError: there is none.
    """
    table = manifest.table
    table = table.filter(pc.is_in(table["split"], value_set=pa.array(splits, pa.string())))
    if accepted_only:
        every, table = table, table.filter(table["accepted"])
        if num_rejected := every.num_rows - table.num_rows:
            facts.skipped["rejected by the quality gates"] = num_rejected
    if not table.num_rows:
        which = "accepted row" if accepted_only else "row"
        raise ExportError(
            f"{manifest.store.location} has no {which} in {', '.join(splits)}; nothing was exported."
        )
    order = pc.index_in(table["split"], value_set=pa.array(SPLITS))
    table = table.append_column("order", order).sort_by([("order", "ascending"), ("sample_id", "ascending")])
    return table.drop_columns("order")


def num_rows(rows: pa.Table) -> dict[str, int]:
    """Of each split that has any, in the order of splits."""
    found = Counter(rows["split"].to_pylist())
    return {split: found[split] for split in SPLITS if found[split]}


def chosen(rows: pa.Table, why_not: Callable[[SampleRecord], str | None], facts: Facts) -> Iterator[Chosen]:
    """The rows one by one, and counted, without those that a format cannot hold."""
    numbers: Counter[str] = Counter()
    for start in range(0, rows.num_rows, _ROWS_PER_STEP):
        for num_seen, record in enumerate(from_table(rows.slice(start, _ROWS_PER_STEP)), start + 1):
            if reason := why_not(record):
                facts.skipped[reason] += 1
                continue
            yield Chosen(record, numbers[record.split], num_seen)
            numbers[record.split] += 1
