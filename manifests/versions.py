"""How a dataset changes: immutable tables, put-if-absent version records, one published table.

On disk, below the root:

    _versions/manifest-00000012-<hash>.parquet   the whole table of a version; written first, never rewritten
    _versions/00000012.json                      makes it version 12; of all writers only one can create it
    metadata.parquet                             the newest version's table for any reader; replaced whole

A writer killed before the record leaves an orphan table; one killed after it leaves `metadata.parquet` behind
by a version, and the next open or commit publishes it.
"""

import hashlib
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from manifests.card import create_card
from manifests.durable import create_durable, exclusive_lock, make_folders, write_durable
from manifests.merge import ConflictError, Merge, merge_rows
from manifests.reader import TABLE_NAME, ManifestError, open_parquet, read_schema, read_table
from manifests.schema import (
    SCHEMA,
    SampleRecord,
    from_table,
    palette_of,
    same_classes,
    version_number,
    with_later_columns,
    with_version_number,
)
from manifests.writer import table_bytes

__all__ = [
    "VERSIONS_FOLDER",
    "ConflictError",
    "Manifest",
    "VersionRecord",
    "commit",
    "open_manifest",
    "read_version",
    "version_numbers",
]

VERSIONS_FOLDER = "_versions"

_LOCK_NAME = "publish.lock"
_RECORD_NAME = re.compile(r"(\d{8,})\.json")
_PUBLISH_WAIT_SECONDS = 600
_MAX_ATTEMPTS = 1000

logger = logging.getLogger(__name__)


class VersionRecord(BaseModel):
    """What makes a table a version."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    version: int
    parent: int
    """The version that it was made from; 0 = none."""
    rows: int
    added: int
    """Rows that were put in, replacements included."""
    removed: int
    """Rows of the parent that were taken out, replaced ones included."""
    table: str
    """File name of the whole table, beside the record."""
    table_sha256: str
    config_sha256: str | None = None
    snapshot_sha256: str | None = None
    message: str = ""
    created: datetime
    """Time of the commit, UTC."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One committed version of a dataset."""

    root: Path
    version: int
    """0 = nothing has been committed yet."""
    table: pa.Table
    """Its rows, ordered by sample_id."""

    @property
    def records(self) -> list[SampleRecord]:
        """The rows as records."""
        return from_table(self.table)


def version_numbers(root: Path) -> list[int]:
    """The numbers of all committed versions, ascending."""
    folder = root / VERSIONS_FOLDER
    names = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
    return sorted(int(match[1]) for name in names if (match := _RECORD_NAME.fullmatch(name)))


def read_version(root: Path, version: int) -> VersionRecord:
    """The record of one version.

    Raises:
        ManifestError: there is no such version, or its record is damaged.
    """
    path = _record_path(root, version)
    try:
        return VersionRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ManifestError(
            f"{root} has no version {version}; it has {version_numbers(root) or 'none'}."
        ) from None
    except ValidationError as error:
        raise ManifestError(f"The version record {path} is damaged: {error.errors()[0]['msg']}.") from error


def open_manifest(root: Path, *, version: int | None = None) -> Manifest:
    """Open a dataset at its newest committed version, or at an older one.

    If the last writer died between committing and publishing, its version is published now.

    Raises:
        ManifestError: there is no such version, or a file of it is damaged.
    """
    if version is not None:
        return Manifest(root, version, _read_part(root, read_version(root, version)))
    if _is_unversioned(root):
        table = read_table(root)
        return Manifest(root, version_number(table.schema), table)
    try:
        _publish(root)
    except OSError as error:
        logger.warning("%s: %s may be behind by a version and cannot be written: %s", root, TABLE_NAME, error)
    return _head(root)


def commit(
    root: Path,
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
        root: the dataset's folder; it is created when missing.
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
    """
    if _is_unversioned(root):
        raise ManifestError(
            f"{root} has a {TABLE_NAME} that its folder {VERSIONS_FOLDER} does not account for; "
            "publish to an empty folder, or bring the missing records back."
        )
    removed_ids = pa.array(sorted(set(remove)), pa.string())
    for _ in range(_MAX_ATTEMPTS):
        head = _head(root)
        merge = _merged(head, add, removed_ids)
        if merge.table.equals(head.table):
            _publish(root)
            return head.version
        if expected_parent not in (None, head.version):
            raise ConflictError(
                f"{root} is at version {head.version}, not {expected_parent}; look and commit again."
            )
        about = {"message": message, "config_sha256": config_sha256, "snapshot_sha256": snapshot_sha256}
        if _put_version(head, merge, about):
            _publish(root)
            return head.version + 1
        if len(removed_ids):
            raise ConflictError(
                f"{root}: version {head.version + 1} came from another writer; look and commit again."
            )
    raise ConflictError(f"{root}: {_MAX_ATTEMPTS} attempts were overtaken by other writers; commit again.")


def _record_path(root: Path, version: int) -> Path:
    return root / VERSIONS_FOLDER / f"{version:08d}.json"


def _head(root: Path) -> Manifest:
    numbers = version_numbers(root)
    if not numbers:
        return Manifest(root, 0, SCHEMA.empty_table())
    return Manifest(root, numbers[-1], _read_part(root, read_version(root, numbers[-1])))


def _read_part(root: Path, record: VersionRecord) -> pa.Table:
    path = root / VERSIONS_FOLDER / record.table
    with open_parquet(_part_bytes(root, record), where=path) as file:
        return with_later_columns(file.read())


def _part_bytes(root: Path, record: VersionRecord) -> bytes:
    path = root / VERSIONS_FOLDER / record.table
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ManifestError(f"{path}, the table of version {record.version}, is missing.") from None
    if hashlib.sha256(data).hexdigest() != record.table_sha256:
        raise ManifestError(
            f"{path}, the table of version {record.version}, is damaged: its sha256 is another."
        )
    return data


def _merged(head: Manifest, add: pa.Table | None, removed_ids: pa.Array) -> Merge:
    """The head's rows with the change applied, carrying the palette that belongs to them."""
    if add is None:
        add = head.table.slice(0, 0)
    palette, new_palette = palette_of(head.table.schema), palette_of(add.schema)
    if head.version and not same_classes(new_palette, palette):
        raise ConflictError(
            f"The rows were made with palette '{new_palette.get('name')}', which differs from the palette "
            f"'{palette.get('name')}' of {head.root}; publish them to a folder of their own."
        )
    merge = merge_rows(head.table, add, removed_ids)
    return merge._replace(table=merge.table.replace_schema_metadata(add.schema.metadata))


def _put_version(head: Manifest, merge: Merge, about: dict[str, str | None]) -> bool:
    """Make a table the head's next version; False when another writer was first."""
    # Write the table under a name of its own, then the record that makes it the version.
    version = head.version + 1
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
    part = head.root / VERSIONS_FOLDER / record.table
    make_folders(part.parent)
    write_durable(part, data)
    try:
        create_durable(_record_path(head.root, version), record.model_dump_json(indent=1).encode() + b"\n")
        return True
    except FileExistsError:
        # The number is taken for good, so the part is garbage, unless the winner's rows are the same.
        if read_version(head.root, version).table != record.table:
            part.unlink(missing_ok=True)
        return False


def _published_version(root: Path) -> int:
    """The version in `metadata.parquet`; -1 when there is no such file or it cannot be read."""
    try:
        return version_number(read_schema(root))
    except ManifestError:
        return -1


def _is_unversioned(root: Path) -> bool:
    """Whether `metadata.parquet` is ahead of the version records: copied without them, or not made by us."""
    # Look at the table first: a record is always older than the table it announces.
    exists, published = (root / TABLE_NAME).exists(), _published_version(root)
    numbers = version_numbers(root)
    return exists and (not numbers or published > numbers[-1])


def _publish(root: Path) -> None:
    """Bring `metadata.parquet` to the newest version; whoever holds the lock does it for all."""
    numbers = version_numbers(root)
    if not numbers or _published_version(root) >= numbers[-1]:
        return
    lock = root / VERSIONS_FOLDER / _LOCK_NAME
    with exclusive_lock(lock, what=f"Publishing to {root}", wait_seconds=_PUBLISH_WAIT_SECONDS):
        newest = version_numbers(root)[-1]
        if _published_version(root) < newest:
            create_card(root)
            write_durable(root / TABLE_NAME, _part_bytes(root, read_version(root, newest)))
