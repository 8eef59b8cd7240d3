"""The whole verification: table, versions, rows, files, and on demand their bytes and pixels."""

import hashlib
import os
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from manifests.files import named_by_others
from manifests.paths import UnsafePathError
from manifests.reader import TABLE_NAME
from manifests.schema import (
    SCHEMA,
    SchemaError,
    check_schema,
    class_names,
    version_number,
)
from manifests.storage.opening import Root, open_store
from manifests.storage.store import Store
from manifests.table_file import ManifestError, TableFile
from manifests.verification.findings import Finding, Findings, Report
from manifests.verification.presence import FILE_KINDS, Presence
from manifests.verification.rows import check_uniqueness, check_values, is_filled
from manifests.verification.samples import check_samples
from manifests.versions import VERSIONS_FOLDER, read_version, record_name, table_name, version_numbers

__all__ = ["verify"]

Progress = Callable[[int, int], None]

_COLUMNS_OF_FILES = [
    "sample_id",
    *(f"{kind}_{what}" for kind in FILE_KINDS for what in ("file_name", "bytes")),
]


def verify(
    root: Root | Store, *, deep: bool = False, num_workers: int = 0, progress: Progress | None = None
) -> Report:
    """Check a dataset and change nothing in it.

    Args:
        root: the dataset's folder or URL.
        deep: also hash and decode every file and every version's table; otherwise presence, sizes, schema,
            values, uniqueness, paths and orphans only.
        num_workers: threads; 0 = one per core.
        progress: called with rows done and rows in all, from the calling thread.
    """
    store = open_store(root)
    findings = Findings()
    version = num_rows = num_bytes = 0
    try:
        data = store.read(TABLE_NAME)
        table = TableFile(data, where=f"{store.location}/{TABLE_NAME}")
        check_schema(table.schema)
        version, num_rows = version_number(table.schema), table.num_rows
        files = _files_of(table, findings)
        num_bytes = sum(pc.sum(files[f"{kind}_bytes"]).as_py() or 0 for kind in FILE_KINDS)
        findings.add(_check_versions(store, version, data, deep))
        findings.add(check_uniqueness(files))
        presence = Presence(store, files)
        findings.add(presence.check(None if deep else progress))
        if deep:
            findings.add(_check_deeply(store, table, presence, num_workers or os.cpu_count() or 1, progress))
        findings.add(_find_orphans(store, presence.unnamed))
    except FileNotFoundError:
        what = f"there is no such file in {store.location}"
        findings.add([Finding(code="no_manifest", where=TABLE_NAME, what=what)])
    except SchemaError as error:
        findings.add([Finding(code="wrong_schema", where=TABLE_NAME, what=_clause(error))])
    except ManifestError as error:
        findings.add([Finding(code="damaged_manifest", where=TABLE_NAME, what=_clause(error))])
    return Report(
        root=store.location,
        version=version,
        is_deep=deep,
        num_rows=num_rows,
        num_bytes=num_bytes,
        findings=tuple(findings.kept),
        num_by_code=dict(findings.num_by_code.most_common()),
    )


def _clause(error: Exception) -> str:
    return str(error).rstrip(".")


def _files_of(table: TableFile, findings: Findings) -> pa.Table:
    """Check the values of all rows, and return what there is to know of their files."""
    num_classes = len(class_names(table.schema))
    num_empty = dict.fromkeys((field.name for field in SCHEMA if not field.nullable), 0)
    files = [table.schema.empty_table().select(_COLUMNS_OF_FILES)]
    for rows in table.parts():
        for name in num_empty:
            num_empty[name] += rows[name].null_count
        findings.add(check_values(rows.filter(is_filled(rows)), num_classes))
        files.append(rows.select(_COLUMNS_OF_FILES))
    for name, num in num_empty.items():
        if num:
            what = f"column {name} is empty in {num} rows"
            findings.add([Finding(code="missing_value", where=TABLE_NAME, what=what)])
    return pa.concat_tables([part.replace_schema_metadata(None) for part in files], promote_options="default")


def _check_deeply(
    store: Store, table: TableFile, presence: Presence, num_workers: int, progress: Progress | None
) -> Iterator[Finding]:
    num_classes = len(class_names(table.schema))
    total, done = table.num_rows, 0
    for rows in table.parts():
        numbers = pc.indices_nonzero(is_filled(rows)).to_pylist()
        before = done

        def is_wanted(position: int, kind: str, numbers: list[int] = numbers, before: int = before) -> bool:
            return (before + numbers[position], kind) not in presence.absent

        filled = rows.take(pa.array(numbers, pa.int64()))
        for num_done, found in check_samples(
            store, filled, num_classes, num_workers=num_workers, is_wanted=is_wanted
        ):
            yield from found
            if progress is not None:
                progress(before + num_done, total)
        done += rows.num_rows
    if progress is not None:
        progress(total, total)


def _check_versions(store: Store, published: int, data: bytes, deep: bool) -> Iterator[Finding]:
    """Whether the published table is the newest version's, and (deep) every version's table is whole."""
    numbers = version_numbers(store)
    if published not in numbers:
        what = f"it says version {published}, of which {VERSIONS_FOLDER} has no record"
        yield Finding(code="no_version_record", where=TABLE_NAME, what=what)
    if numbers and numbers[-1] > published:
        what = f"it is version {published}, and version {numbers[-1]} is committed"
        yield Finding(code="unpublished_version", where=TABLE_NAME, what=what)
    for number in numbers:
        where = record_name(number)
        try:
            record = read_version(store, number)
            if number == published and hashlib.sha256(data).hexdigest() != record.table_sha256:
                what = f"its sha256 is not the one that {where} records"
                yield Finding(code="table_changed", where=TABLE_NAME, what=what)
            if deep:
                where = table_name(record)
                if hashlib.sha256(store.read(where)).hexdigest() != record.table_sha256:
                    what = f"its sha256 is not the one that version {number} records"
                    yield Finding(code="damaged_version", where=where, what=what)
        except (ManifestError, UnsafePathError, OSError) as error:
            yield Finding(code="damaged_version", where=where, what=_clause(error))


def _find_orphans(store: Store, unnamed: list[str]) -> Iterator[Finding]:
    """Files beside the published ones that no row of any version names, nor a row that waits for its
    publishing."""
    if unnamed:
        for name in sorted(set(unnamed) - named_by_others(store)):
            yield Finding(code="orphan_file", where=name, what="no row of any version names it")
