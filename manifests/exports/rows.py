"""Which rows of a dataset are exported, and in which order."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from manifests.exports.classes import ExportError
from manifests.exports.sample import Facts
from manifests.manifest import Manifest
from manifests.schema import SPLITS, SampleRecord, from_table

__all__ = ["Chosen", "chosen", "count_rows"]

_ROWS_PER_STEP = 1_024


class Chosen(NamedTuple):
    """A row to export."""

    record: SampleRecord
    number: int
    """Its place in its split, from 0."""
    num_seen: int
    """Rows so far, this one and those that were skipped included."""


def count_rows(
    manifest: Manifest, splits: Sequence[str], *, accepted_only: bool, facts: Facts
) -> dict[str, int]:
    """Rows to export of each split that has any, in the order of splits; those that were rejected are counted
    as skipped.

    Raises:
        ExportError: there is none.
    """
    table = manifest.table.select(["split", "accepted"])
    table = table.filter(pc.is_in(table["split"], value_set=pa.array(splits, pa.string())))
    wanted = table.filter(table["accepted"]) if accepted_only else table
    if num_rejected := table.num_rows - wanted.num_rows:
        facts.skipped["rejected by the quality gates"] = num_rejected
    if not wanted.num_rows:
        which = "accepted row" if accepted_only else "row"
        raise ExportError(
            f"{manifest.store.location} has no {which} in {', '.join(splits)}; nothing was exported."
        )
    found = Counter(wanted["split"].to_pylist())
    return {split: found[split] for split in SPLITS if found[split]}


def chosen(
    table: pa.Table,
    splits: Iterable[str],
    *,
    accepted_only: bool,
    why_not: Callable[[SampleRecord], str | None],
    facts: Facts,
) -> Iterator[Chosen]:
    """The rows of one split after the other, in the table's order, without those that a format cannot hold;
    these are counted. The table is read in steps and never copied."""
    num_seen = 0
    for split in splits:
        number = 0
        for start in range(0, table.num_rows, _ROWS_PER_STEP):
            rows = table.slice(start, _ROWS_PER_STEP)
            is_wanted = pc.equal(rows["split"], split)
            if accepted_only:
                is_wanted = pc.and_(is_wanted, rows["accepted"])
            for record in from_table(rows.filter(is_wanted)):
                num_seen += 1
                if reason := why_not(record):
                    facts.skipped[reason] += 1
                    continue
                yield Chosen(record, number, num_seen)
                number += 1
