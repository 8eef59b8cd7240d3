"""A published dataset for Hugging Face's `datasets`, without the minutes that its own folder loader takes."""

import os
from typing import Any

import pyarrow as pa

from manifests.loaders.rows import wanted_rows
from manifests.loaders.sample_files import check_links, check_names
from manifests.storage.folder import FolderStore
from manifests.storage.opening import Root, open_store
from manifests.storage.store import Store

__all__ = ["to_hf"]


def to_hf(
    root: Root | Store, split: str | None = None, version: int | None = None, *, accepted_only: bool = True
) -> Any:
    """The rows as a `datasets.Dataset`, whose columns `image` and `label` decode when they are looked at.

    It has the columns that `load_dataset(root)` finds, but lists no folders: 20,000 rows take a fraction of a
    second. A label is a PIL image of mode "P": `numpy.asarray` gives class ids.

    Args:
        root: the dataset's folder, or its s3:// URL.
        split: "train", "val" or "test"; None = all.
        version: None = the published one.
        accepted_only: leave out samples that the quality gates rejected; `load_dataset` has them.

    Raises:
        ManifestError: there is no such dataset or version, or it is damaged.
        SchemaError: the table is no manifest.
        UnsafePathError: a row names a file that is not inside the dataset.
        ValueError: there is no such split.
    """
    import datasets

    store = open_store(root)
    table = wanted_rows(store, split=split, version=version, accepted_only=accepted_only)
    for kind in ("image", "label"):
        position = table.schema.get_field_index(f"{kind}_file_name")
        names = table.column(position).combine_chunks()
        # Hugging Face opens any path that it is given.
        check_names(names)
        check_links(store, names)
        table = table.set_column(position, kind, _pictures(store, names))
    features = datasets.Features.from_arrow_schema(table.schema)
    features |= {kind: datasets.Image() for kind in ("image", "label")}
    features = datasets.Features(features)
    return datasets.Dataset(
        datasets.table.InMemoryTable(table.cast(features.arrow_schema)),
        info=datasets.DatasetInfo(features=features),
    )


def _pictures(store: Store, names: pa.StringArray) -> pa.StructArray:
    """What `datasets.Image` is made of in Arrow: no bytes, but a path."""
    is_local = isinstance(store, FolderStore)
    start = os.path.abspath(store.root) if is_local else store.location
    paths = pa.array([f"{start}/{name}" for name in names.to_pylist()], pa.string())
    return pa.StructArray.from_arrays([pa.nulls(len(paths), pa.binary()), paths], ["bytes", "path"])
