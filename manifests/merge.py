"""The rows of the next version, from those of the last one."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manifests.schema import SCHEMA, SchemaError, check_schema

__all__ = ["ConflictError", "Merge", "changes", "merge_rows"]


class ConflictError(RuntimeError):
    """A commit that contradicts what is published, or that another writer's commit has overtaken."""


class Merge(NamedTuple):
    """A table, and how it differs from the one it was made from."""

    table: pa.Table
    """One row per sample_id, ordered by it; the same rows give the same table whatever the commits were."""
    added: int
    removed: int


def merge_rows(present: pa.Table, add: pa.Table, remove: pa.Array) -> Merge:
    """Take out the ids in `remove`, then add rows; a row that is there already is not added twice.

    Raises:
        ConflictError: a sample_id stands for two rows that differ.
        SchemaError: `add` has other columns, or nulls where a value is needed.
    """
    _check_rows(add)
    kept = present.filter(pc.invert(pc.is_in(present["sample_id"], value_set=remove)))
    both = pa.concat_tables([kept, add.select(SCHEMA.names).cast(SCHEMA.with_metadata(None))])
    both = both.sort_by("sample_id")

    # Equal ids are neighbours now: the second of two equal rows goes.
    ids = both["sample_id"].combine_chunks()
    repeated = pc.fill_null(pc.equal(ids[1:], ids[:-1]), False) if len(ids) else pa.array([], pa.bool_())
    firsts = pc.indices_nonzero(repeated)
    _check_equal(both.take(firsts), both.take(pc.add(firsts, 1)))
    is_first = pa.concat_arrays([pa.array([True] * min(len(ids), 1), pa.bool_()), pc.invert(repeated)])
    table = both.filter(is_first)
    return Merge(table, added=table.num_rows - kept.num_rows, removed=present.num_rows - kept.num_rows)


def changes(present: pa.Table, wanted: pa.Table) -> Merge:
    """The wanted rows, and how they differ from those that are there; both ordered by sample_id."""
    shared = present.filter(pc.is_in(present["sample_id"], value_set=wanted["sample_id"]))
    others = wanted.filter(pc.is_in(wanted["sample_id"], value_set=present["sample_id"]))
    num_same = shared.num_rows - _num_unequal(shared, others)
    return Merge(wanted, added=wanted.num_rows - num_same, removed=present.num_rows - num_same)


def _num_unequal(rows: pa.Table, others: pa.Table) -> int:
    """Rows of two tables with the same ids that have a differing value."""
    differs = pa.array(np.zeros(rows.num_rows, bool))
    for name in SCHEMA.names:
        if not pa.types.is_list(SCHEMA.field(name).type):  # pixel counts follow from the label's sha256
            one, other = rows[name], others[name]
            is_equal = pc.fill_null(pc.equal(one, other), False)
            both_empty = pc.and_(pc.is_null(one), pc.is_null(other))
            differs = pc.or_(differs, pc.invert(pc.or_(is_equal, both_empty)))
    return pc.sum(differs).as_py() or 0


def _check_rows(rows: pa.Table) -> None:
    check_schema(rows.schema)
    unknown = [name for name in rows.schema.names if name not in SCHEMA.names]
    if unknown:
        raise SchemaError(
            f"The rows have columns that a manifest does not know: {', '.join(unknown)}; drop them."
        )
    empty = [field.name for field in SCHEMA if not field.nullable and rows[field.name].null_count]
    if empty:
        raise SchemaError(f"The rows have no value in {', '.join(empty)}; fill them before publishing.")


def _check_equal(rows: pa.Table, others: pa.Table) -> None:
    if rows.equals(others):
        return
    first = next(i for i in range(rows.num_rows) if not rows.slice(i, 1).equals(others.slice(i, 1)))
    name = next(name for name in SCHEMA.names if rows[name][first] != others[name][first])
    raise ConflictError(
        f"Sample '{rows['sample_id'][first]}' exists with {name} {rows[name][first]}, and was to be added "
        f"with {others[name][first]}; remove it in the same commit to replace it."
    )
