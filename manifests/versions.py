"""The committed versions of a dataset, and the one table that is published.

On disk, below the root:

    _versions/manifest-00000012-<hash>.parquet   the whole table of a version; written first, never rewritten
    _versions/00000012.json                      makes it version 12; of all writers only one can create it
    metadata.parquet                             the newest version's table for any reader; replaced whole

A writer killed before the record leaves an orphan table; one killed after it leaves `metadata.parquet` behind
by a version, and the next open or commit publishes it.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from manifests.card import create_card
from manifests.reader import TABLE_NAME, read_schema
from manifests.schema import version_number
from manifests.storage.opening import Root, open_store
from manifests.storage.store import Store
from manifests.table_file import ManifestError, TableFile

__all__ = [
    "VERSIONS_FOLDER",
    "VersionRecord",
    "is_unversioned",
    "open_version_table",
    "publish_newest",
    "read_version",
    "read_version_table",
    "record_name",
    "table_name",
    "version_numbers",
]

VERSIONS_FOLDER = "_versions"

_RECORD_NAME = re.compile(rf"{VERSIONS_FOLDER}/(\d{{8,}})\.json")


class VersionRecord(BaseModel):
    """What makes a table a version."""

    model_config = ConfigDict(frozen=True)

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


def record_name(version: int) -> str:
    """The file that makes a version."""
    return f"{VERSIONS_FOLDER}/{version:08d}.json"


def table_name(record: VersionRecord) -> str:
    """The file that holds a version's rows."""
    return f"{VERSIONS_FOLDER}/{record.table}"


def version_numbers(root: Root | Store) -> list[int]:
    """The numbers of all committed versions, ascending."""
    names = open_store(root).names(VERSIONS_FOLDER)
    return sorted(int(match[1]) for name in names if (match := _RECORD_NAME.fullmatch(name)))


def read_version(root: Root | Store, version: int) -> VersionRecord:
    """The record of one version.

    Raises:
        ManifestError: there is no such version, or its record is damaged.
    """
    store, name = open_store(root), record_name(version)
    try:
        return VersionRecord.model_validate_json(store.read(name))
    except FileNotFoundError:
        present = version_numbers(store) or "none"
        raise ManifestError(f"{store.location} has no version {version}; it has {present}.") from None
    except ValidationError as error:
        what = error.errors()[0]["msg"]
        raise ManifestError(f"The version record {store.location}/{name} is damaged: {what}.") from error


def read_version_table(
    root: Root | Store, record: VersionRecord, *, columns: Sequence[str] | None = None
) -> pa.Table:
    """The rows of one version, or some of their columns.

    Raises:
        ManifestError: its table is missing or not the one that was committed.
    """
    return open_version_table(root, record).read(columns)


def open_version_table(root: Root | Store, record: VersionRecord) -> TableFile:
    """The table of one version, to read it in parts. Raises what `read_version_table` raises."""
    store = open_store(root)
    where = f"{store.location}/{table_name(record)}"
    return TableFile(_committed_bytes(store, record), where=where)


def is_unversioned(store: Store) -> bool:
    """Whether the published table is ahead of the version records: copied without them, or not made by us."""
    # Look at the table first: a record is always older than the table it announces.
    exists, published = _exists(store), _published_version(store)
    numbers = version_numbers(store)
    return exists and (not numbers or published > numbers[-1])


def publish_newest(store: Store) -> None:
    """Bring the published table to the newest version; whoever comes first does it for all."""

    def is_behind() -> bool:
        numbers = version_numbers(store)
        return bool(numbers) and _published_version(store) < numbers[-1]

    if is_behind():
        create_card(store)
        store.replace_while(
            TABLE_NAME,
            is_behind,
            lambda: _committed_bytes(store, read_version(store, version_numbers(store)[-1])),
        )


def _committed_bytes(store: Store, record: VersionRecord) -> bytes:
    where = f"{store.location}/{table_name(record)}, the table of version {record.version},"
    try:
        data = store.read(table_name(record))
    except FileNotFoundError:
        raise ManifestError(f"{where} is missing.") from None
    if hashlib.sha256(data).hexdigest() != record.table_sha256:
        raise ManifestError(f"{where} is damaged: its sha256 is another.")
    return data


def _exists(store: Store) -> bool:
    try:
        return store.status(TABLE_NAME).is_regular
    except FileNotFoundError:
        return False


def _published_version(store: Store) -> int:
    """The version in the published table; -1 when there is no such file or it cannot be read."""
    try:
        return version_number(read_schema(store))
    except ManifestError:
        return -1
