"""How a dataset changes: every change is a new version, made of the last one."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

import pyarrow as pa

from manifests.manifest import Manifest
from manifests.merge import ConflictError, Merge, changes, merge_rows
from manifests.reader import TABLE_NAME, ManifestError
from manifests.schema import palette_of, same_classes, with_version_number
from manifests.storage.opening import Root, open_store
from manifests.storage.store import Store
from manifests.versions import (
    VERSIONS_FOLDER,
    VersionRecord,
    is_unversioned,
    publish_newest,
    read_version,
    record_name,
    table_name,
)
from manifests.writer import table_bytes

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
        head = Manifest.newest(store)
        merge = _merged(head, add, removed_ids)
        if merge.table.equals(head.table):
            publish_newest(store)
            return head.version
        if expected_parent not in (None, head.version):
            raise ConflictError(
                f"{store.location} is at version {head.version}, not {expected_parent}; look and commit again."
            )
        if _put_version(head, merge, about):
            publish_newest(store)
            return head.version + 1
        if len(removed_ids):
            raise _overtaken(head)
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
    _require_versioned(store)
    head, wanted = Manifest.newest(store), Manifest.open(store, version=version)
    if wanted.table.equals(head.table):
        publish_newest(store)
        return head.version
    if not _put_version(
        head,
        changes(head.table, wanted.table),
        {"message": message or f"roll back to version {version}"},
    ):
        raise _overtaken(head)
    publish_newest(store)
    return head.version + 1


def _require_versioned(store: Store) -> None:
    if is_unversioned(store):
        raise ManifestError(
            f"{store.location} has a {TABLE_NAME} that its folder {VERSIONS_FOLDER} does not account for; "
            "publish to an empty folder, or bring the missing records back."
        )


def _overtaken(head: Manifest) -> ConflictError:
    return ConflictError(
        f"{head.store.location}: version {head.version + 1} came from another writer; look and commit again."
    )


def _merged(head: Manifest, add: pa.Table | None, removed_ids: pa.Array) -> Merge:
    """The head's rows with the change applied, carrying the palette that belongs to them."""
    if add is None:
        add = head.table.slice(0, 0)
    palette, new_palette = palette_of(head.table.schema), palette_of(add.schema)
    if head.version and not same_classes(new_palette, palette):
        raise ConflictError(
            f"The rows were made with palette '{new_palette.get('name')}', which differs from the palette "
            f"'{palette.get('name')}' of {head.store.location}; publish them to a folder of their own."
        )
    merge = merge_rows(head.table, add, removed_ids)
    return merge._replace(table=merge.table.replace_schema_metadata(add.schema.metadata))


def _put_version(head: Manifest, merge: Merge, about: dict[str, str | None]) -> bool:
    """Make a table the head's next version; False when another writer was first."""
    # Write the table under a name of its own, then the record that makes it the version.
    store, version = head.store, head.version + 1
    data = table_bytes(with_version_number(merge.table, version))
    digest = hashlib.sha256(data).hexdigest()
    record = VersionRecord(
        version=version,
        parent=head.version,
        rows=merge.table.num_rows,
        added=merge.added,
        removed=merge.removed,
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
