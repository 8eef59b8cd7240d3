"""A dataset at a glance."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manifests.reader import read_table
from manifests.schema import SPLITS, class_names, version_number
from manifests.storage.opening import Root, open_store
from manifests.storage.store import Store
from manifests.versions import read_version, version_numbers

__all__ = ["DatasetInfo", "describe", "summarise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInfo:
    """What a dataset holds. Counts are of all rows, the rejected ones included, unless said otherwise."""

    root: str
    version: int
    created: datetime | None
    """Time of the published version's commit, UTC; None = there is no record of it."""
    num_samples: int
    num_accepted: int
    num_source_labels: int
    """Source labels that differ in content."""
    num_bytes: int
    """Size of all images and labels."""
    samples_per_split: dict[str, int]
    """Accepted samples of "train", "val" and "test"."""
    samples_per_reject_reason: dict[str, int]
    samples_per_size: dict[str, int]
    """Keyed by "<width>x<height>", most frequent first."""
    samples_per_method: dict[str, int]
    samples_per_snapshot: dict[str, int]
    """Keyed by the snapshot's name and the first digits of its sha256."""
    class_pixel_fractions: dict[str, float]
    """Share of the accepted labels' pixels that each class has, in palette order."""


def describe(root: Root | Store) -> DatasetInfo:
    """Summarise a published dataset; reads its table only.

    Raises:
        ManifestError: there is no dataset, or its table is damaged.
        SchemaError: the table is no manifest.
    """
    store = open_store(root)
    return summarise(store, read_table(store))


def summarise(store: Store, table: pa.Table) -> DatasetInfo:
    """Summarise one version of the dataset in a store by its table."""
    version = version_number(table.schema)
    accepted = table.filter(table["accepted"])
    splits = _count(accepted["split"])
    sizes = zip(table["width"].to_pylist(), table["height"].to_pylist(), strict=True)
    snapshots = zip(table["snapshot_name"].to_pylist(), table["snapshot_sha256"].to_pylist(), strict=True)
    num_bytes = [pc.sum(table[column]).as_py() or 0 for column in ("image_bytes", "label_bytes")]
    return DatasetInfo(
        root=store.location,
        version=version,
        created=read_version(store, version).created if version in version_numbers(store) else None,
        num_samples=table.num_rows,
        num_accepted=accepted.num_rows,
        num_source_labels=pc.count_distinct(table["source_sha256"]).as_py(),
        num_bytes=sum(num_bytes),
        samples_per_split={split: splits.get(split, 0) for split in SPLITS},
        samples_per_reject_reason=_count(table["reject_reason"].drop_null()),
        samples_per_size=dict(Counter(f"{width}x{height}" for width, height in sizes).most_common()),
        samples_per_method=_count(table["method"]),
        samples_per_snapshot=dict(
            Counter(f"{name} ({digest[:8]})" for name, digest in snapshots).most_common()
        ),
        class_pixel_fractions=_class_fractions(accepted),
    )


def _count(column: pa.ChunkedArray) -> dict[str, int]:
    return dict(Counter(column.to_pylist()).most_common())


def _class_fractions(table: pa.Table) -> dict[str, float]:
    names = class_names(table.schema)
    counts = (
        pc.list_flatten(table["class_pixel_counts"]).to_numpy().reshape(-1, max(len(names), 1)).sum(axis=0)
    )
    fractions = counts / np.maximum(counts.sum(), 1)
    return dict(zip(names, fractions.tolist(), strict=True)) if names else {}
