"""How a dataset changes: every change is a new version, made of the last one."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from manifests.manifest import Manifest
from manifests.merge import ConflictError, Merge, plan_merge
from manifests.reader import TABLE_NAME
from manifests.schema import SCHEMA, palette_of, same_classes, with_version_number
from manifests.storage.opening import Root, open_store
from manifests.storage.store import Store
from manifests.table_file import ManifestError, TableFile
from manifests.versions import (
    VERSIONS_FOLDER,
    VersionRecord,
    is_unversioned,
    open_version_table,
    publish_newest,
    read_version,
    record_name,
    table_name,
    version_numbers,
)
from manifests.writer import table_bytes, write_rows

__all__ = ["commit", "roll_back"]

_MAX_ATTEMPTS = 1000


def commit(
    root: Root | Store,
    add: pa.Table | None = None,
    remove: Iterable[str] = (),
    *,
    message: str = "",
    config_sha256: str | None = None,
    snapshot_sha256: str | None = None,
    expected_parent: int | None = None,
) -> int:
    """Publish a new version: some rows removed, then some added, whose files must be durable already.

    It may be repeated after a kill at any moment: rows that are there already are not added twice, ids that
    are gone are not missed, and a commit that changes nothing publishes nothing.

    Args:
        root: the dataset's folder or URL; a folder is created when missing.
        add: rows as `to_table` makes them. To replace a row, remove its id in the same commit.
        remove: sample_ids to take out.
        message: what changed, for people.
        config_sha256: fingerprint of the settings that the added rows were made with.
        snapshot_sha256: the weights that they were made with.
        expected_parent: the version that the caller has seen; a change is refused on any other.

    Returns:
        The new version's number, or the present one's when nothing changes.

    Raises:
        ConflictError: a row exists with other values; or another writer overtook a commit that removes rows
            or expects a parent. Additions alone are retried on the new head.
        ManifestError: the dataset is damaged or was published by other means.
        SchemaError: `add` is no manifest table.
        StoreError: no dataset can be kept at such a root.
    """
    store = open_store(root)
    _require_versioned(store)
    about = {"message": message, "config_sha256": config_sha256, "snapshot_sha256": snapshot_sha256}
    removed_ids = pa.array(sorted(set(remove)), pa.string())
    for _ in range(_MAX_ATTEMPTS):
        head = _newest(store)
        rows = head.table.schema.empty_table() if add is None else add
        _require_same_classes(head, rows)
        merge = plan_merge(head.ids(), rows, removed_ids, head.rows_of)
        if merge.is_empty:
            publish_newest(store)
            return head.version
        if expected_parent not in (None, head.version):
            raise ConflictError(
                f"{store.location} is at version {head.version}, not {expected_parent}; look again."
            )
        if _put_version(head, merge, rows.schema, about):
            publish_newest(store)
            return head.version + 1
        if len(removed_ids):
            raise ConflictError(
                f"{store.location}: version {head.version + 1} came from another writer; look again."
            )
    raise ConflictError(
        f"{store.location}: {_MAX_ATTEMPTS} attempts were overtaken by other writers; commit again."
    )


def roll_back(root: Root | Store, version: int, *, message: str = "") -> int:
    """Publish an older version's rows again, as a new version; nothing in between is lost.

    Args:
        root: the dataset's folder or URL.
        version: whose rows to publish.
        message: why, for people; "roll back to version N" if left out.

    Returns:
        The new version's number, or the present one's when its rows are the same.

    Raises:
        ConflictError: another writer committed meanwhile.
        ManifestError: there is no such version, or a file of it is damaged.
    """
    store = open_store(root)
    wanted, head = Manifest.open(store, version=version), Manifest.newest(store)
    return commit(
        store,
        wanted.table,
        head.table["sample_id"].to_pylist(),
        message=message or f"roll back to version {version}",
        expected_parent=head.version,
    )


def _require_versioned(store: Store) -> None:
    if is_unversioned(store):
        raise ManifestError(
            f"{store.location} has a {TABLE_NAME} that its folder {VERSIONS_FOLDER} does not account for; "
            "publish to an empty folder, or bring the missing records back."
        )


class _Head(NamedTuple):
    """The newest version, whose rows are read in parts."""

    store: Store
    version: int
    table: TableFile

    def ids(self) -> pa.ChunkedArray:
        return self.table.read(["sample_id"])["sample_id"]

    def rows_of(self, ids: pa.Array) -> pa.Table:
        found = [part.filter(pc.is_in(part["sample_id"], value_set=ids)) for part in self.table.parts()]
        return pa.concat_tables(found)


def _newest(store: Store) -> _Head:
    numbers = version_numbers(store)
    if not numbers:
        return _Head(store, 0, TableFile(table_bytes(SCHEMA.empty_table()), where=store.location))
    return _Head(store, numbers[-1], open_version_table(store, read_version(store, numbers[-1])))


def _require_same_classes(head: _Head, rows: pa.Table) -> None:
    palette, new_palette = palette_of(head.table.schema), palette_of(rows.schema)
    if head.version and not same_classes(new_palette, palette):
        raise ConflictError(
            f"The rows were made with palette '{new_palette.get('name')}', which differs from the palette "
            f"'{palette.get('name')}' of {head.store.location}; publish them to a folder of their own."
        )


def _put_version(head: _Head, merge: Merge, schema: pa.Schema, about: dict[str, str | None]) -> bool:
    """Make the merged rows the head's next version; False when another writer was first."""
    # Write the table under a name of its own, then the record that makes it the version.
    store, version = head.store, head.version + 1
    # The palette is that of the rows that come: what it says beside names and colours may be newer.
    schema = SCHEMA.with_metadata(schema.metadata)
    data = write_rows(merge.rows(head.table.parts()), with_version_number(schema, version))
    digest = hashlib.sha256(data).hexdigest()
    record = VersionRecord(
        version=version,
        parent=head.version,
        rows=head.table.num_rows - len(merge.remove) + merge.add.num_rows,
        added=merge.add.num_rows,
        removed=len(merge.remove),
        table=f"manifest-{version:08d}-{digest[:12]}.parquet",
        table_sha256=digest,
        created=datetime.now(UTC).replace(microsecond=0),
        **about,
    )
    store.replace(table_name(record), data)
    try:
        store.create(record_name(version), record.model_dump_json(indent=1).encode() + b"\n")
        return True
    except FileExistsError:
        # The number is taken for good, so the table is garbage, unless the winner's rows are the same.
        if read_version(store, version).table != record.table:
            store.remove(table_name(record))
        return False
