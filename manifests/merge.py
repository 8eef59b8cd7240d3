"""The rows of the next version, from those of the last one, a part at a time."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manifests.schema import SCHEMA, SchemaError, check_schema

__all__ = ["ConflictError", "Merge", "plan_merge"]


class ConflictError(RuntimeError):
    """A commit that contradicts what is published, or that another writer's commit has overtaken."""


class Merge(NamedTuple):
    """What really changes: rows that leave, and rows that come."""

    remove: pa.Array
    """sample_ids of rows that are there."""
    add: pa.Table
    """Rows that are not there, or leave; one per sample_id, ascending."""

    @property
    def is_empty(self) -> bool:
        return not len(self.remove) and not self.add.num_rows

    def rows(self, present: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The merged rows, ascending: the same whatever the commits before were.

        Args:
            present: the rows that are there, ascending, in any parts.
        """
        new_ids = self.add["sample_id"].to_numpy()
        num_added = 0
        for part in present:
            # Of the rows that come, take those up to the last one of this part.
            stop = int(np.searchsorted(new_ids, part["sample_id"][-1].as_py(), side="right"))
            coming = self.add.slice(num_added, stop - num_added)
            num_added = stop
            if len(self.remove):
                part = part.filter(pc.invert(pc.is_in(part["sample_id"], value_set=self.remove)))
            yield pa.concat_tables([part, coming]).sort_by("sample_id") if coming.num_rows else part
        yield self.add.slice(num_added)


def plan_merge(
    ids: pa.ChunkedArray, add: pa.Table, remove: pa.Array, read: Callable[[pa.Array], pa.Table]
) -> Merge:
    """Hold a change against what is there: a row that is there already is not added twice, one that is
    removed and added with the same values stays, and ids that are gone are not missed.

    Args:
        ids: string [N], the sample_ids that are there, ascending.
        add: rows to add, in any order.
        remove: sample_ids to take out.
        read: some ids of those that are there -> their rows, ascending.

    Raises:
        ConflictError: a sample_id stands for two rows that differ.
        SchemaError: `add` has other columns, or nulls where a value is needed.
    """
    add = _distinct(_checked(add))
    remove, known = (_those_of(named, ids) for named in (remove, add["sample_id"].combine_chunks()))
    if not len(known):
        return Merge(remove, add)

    # Of rows that are there and come again, some are the same, and the others must leave first.
    there, again = read(known), _with_ids(add, known)
    is_same = _equal_rows(there, again)
    same = known.filter(is_same)
    stays = pc.invert(pc.is_in(known, value_set=remove))
    _refuse(there, again, pc.and_not(stays, is_same))
    return Merge(
        remove.filter(pc.invert(pc.is_in(remove, value_set=same))),
        add.filter(pc.invert(pc.is_in(add["sample_id"], value_set=same))),
    )


def _those_of(named: pa.Array, ids: pa.ChunkedArray) -> pa.Array:
    """The ids that are named and there, ascending. The named ones are looked up, as they are mostly few."""
    return ids.filter(pc.is_in(ids, value_set=named)).combine_chunks()


def _checked(rows: pa.Table) -> pa.Table:
    check_schema(rows.schema)
    unknown = [name for name in rows.schema.names if name not in SCHEMA.names]
    if unknown:
        raise SchemaError(
            f"The rows have columns that a manifest does not know: {', '.join(unknown)}; drop them."
        )
    empty = [field.name for field in SCHEMA if not field.nullable and rows[field.name].null_count]
    if empty:
        raise SchemaError(f"The rows have no value in {', '.join(empty)}; fill them before publishing.")
    return rows.select(SCHEMA.names).cast(SCHEMA.with_metadata(None))


def _distinct(rows: pa.Table) -> pa.Table:
    """Ordered by id; of equal rows one."""
    rows = rows.sort_by("sample_id").combine_chunks()
    ids = rows["sample_id"].combine_chunks()
    is_repeated = pc.equal(ids[1:], ids[:-1]) if len(ids) > 1 else pa.array([], pa.bool_())
    firsts = pc.indices_nonzero(is_repeated)
    if not len(firsts):
        return rows
    one, other = rows.take(firsts), rows.take(pc.add(firsts, 1))
    _refuse(one, other, pc.invert(_equal_rows(one, other)))
    return rows.filter(pa.concat_arrays([pa.array([True]), pc.invert(is_repeated)]))


def _with_ids(rows: pa.Table, ids: pa.Array) -> pa.Table:
    return rows.filter(pc.is_in(rows["sample_id"], value_set=ids))


def _equal_rows(rows: pa.Table, others: pa.Table) -> pa.Array:
    """bool [N]: which rows of two tables of one length are the same."""
    is_equal = np.ones(rows.num_rows, bool)
    for name in SCHEMA.names:
        one, other = rows[name].combine_chunks(), others[name].combine_chunks()
        if not one.equals(other):
            is_equal &= [a == b for a, b in zip(one.to_pylist(), other.to_pylist(), strict=True)]
    return pa.array(is_equal)


def _refuse(rows: pa.Table, others: pa.Table, is_refused: pa.Array) -> None:
    numbers = pc.indices_nonzero(is_refused)
    if not len(numbers):
        return
    row, other = (table.slice(numbers[0].as_py(), 1).to_pylist()[0] for table in (rows, others))
    name = next(name for name in SCHEMA.names if row[name] != other[name])
    raise ConflictError(
        f"Sample '{row['sample_id']}' exists with {name} {row[name]}, and was to be added "
        f"with {other[name]}; remove it in the same commit to replace it."
    )
