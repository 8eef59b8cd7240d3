"""The rows of a dataset that somebody wants: a version, a split, accepted or all."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from manifests.reader import ManifestError, read_table
from manifests.schema import SCHEMA, SPLITS
from manifests.storage.store import Store
from manifests.versions import read_version, read_version_table

__all__ = ["wanted_rows"]


def wanted_rows(
    store: Store,
    *,
    split: str | None,
    version: int | None,
    accepted_only: bool,
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """Rows in the table's order.

    Args:
        store: where the dataset lies.
        split: "train", "val" or "test"; None = all.
        version: None = the published one.
        accepted_only: leave out samples that the quality gates rejected.
        columns: "split" and "accepted" must be among them; None = all.

    Raises:
        ManifestError: there is no such dataset or version, or it is damaged, or a row has gaps.
        SchemaError: the table is no manifest.
        ValueError: there is no such split.
    """
    if split is not None and split not in SPLITS:
        raise ValueError(f"There is no split '{split}'; use one of {', '.join(SPLITS)}, or None for all.")
    if version is None:
        table = read_table(store, columns)
    else:
        table = read_version_table(store, read_version(store, version), columns=columns)
    if split is not None:
        table = table.filter(pc.equal(table["split"], split))
    if accepted_only:
        table = table.filter(table["accepted"])
    for name in table.schema.names:
        num_gaps = table[name].null_count
        if num_gaps and name in SCHEMA.names and not SCHEMA.field(name).nullable:
            raise ManifestError(
                f"Column {name} of {store.location} is empty in {num_gaps} rows; "
                f"`seg2real verify {store.location}` lists what else is wrong."
            )
    return table
