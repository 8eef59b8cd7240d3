"""Whether a dataset is what its manifest says: rows, files, hashes, pixels, versions."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manifests.decoding import UndecodableError, decode_image, decode_label, image_size
from manifests.findings import Finding, Report
from manifests.reader import TABLE_NAME, ManifestError, UnsafePathError, inside, open_parquet
from manifests.schema import SCHEMA, SPLITS, SchemaError, check_schema, class_names, version_number
from manifests.versions import VERSIONS_FOLDER, open_manifest, read_version, version_numbers

__all__ = ["verify"]

_MAX_MEGAPIXELS = 64
_ROWS_PER_TASK = 64
_FILE_KINDS = ("image", "label")


def verify(
    root: Path,
    *,
    deep: bool = True,
    num_workers: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Check a dataset and change nothing in it.

    Args:
        root: the dataset's folder.
        deep: also hash and decode every file and every version's table; otherwise presence, sizes, schema,
            uniqueness, paths and orphans only.
        num_workers: threads; 0 = one per core.
        progress: called with rows done and rows in all, from the calling thread.
    """
    findings: list[Finding] = []
    table, data = _read_table(root, findings)
    if table is None:
        version, table = 0, SCHEMA.empty_table()
    else:
        version = version_number(table.schema)
        findings += _check_versions(root, version, data, deep)
        findings += _check_rows(table)
        findings += _check_samples(root, table, deep, num_workers or os.cpu_count() or 1, progress)
        findings += _find_orphans(root, table)
    num_bytes = sum(pc.sum(table[f"{kind}_bytes"]).as_py() or 0 for kind in _FILE_KINDS)
    return Report(
        root=root,
        version=version,
        is_deep=deep,
        num_rows=table.num_rows,
        num_bytes=num_bytes,
        findings=tuple(findings),
    )


def _read_table(root: Path, findings: list[Finding]) -> tuple[pa.Table | None, bytes]:
    """The published table and its file's bytes; None when it cannot be judged further."""
    path = root / TABLE_NAME
    try:
        data = path.read_bytes()
        with open_parquet(data, where=path) as file:
            check_schema(file.schema_arrow)
            return file.read(), data
    except FileNotFoundError:
        findings.append(
            Finding(code="no_manifest", where=TABLE_NAME, what=f"there is no such file in {root}")
        )
    except SchemaError as error:
        findings.append(Finding(code="wrong_schema", where=TABLE_NAME, what=_clause(error)))
    except (ManifestError, pa.ArrowInvalid, OSError) as error:
        findings.append(Finding(code="damaged_manifest", where=TABLE_NAME, what=_clause(error)))
    return None, b""


def _clause(error: Exception) -> str:
    return str(error).rstrip(".")


def _check_versions(root: Path, published: int, data: bytes, deep: bool) -> Iterator[Finding]:
    """Whether the published table is the newest version's, and (deep) every version's table is whole."""
    numbers = version_numbers(root)
    if published not in numbers:
        what = f"it says version {published}, of which {VERSIONS_FOLDER} has no record"
        yield Finding(code="no_version_record", where=TABLE_NAME, what=what)
    if numbers and numbers[-1] > published:
        what = f"it is version {published}, and version {numbers[-1]} is committed"
        yield Finding(code="unpublished_version", where=TABLE_NAME, what=what)
    for number in numbers:
        where = f"{VERSIONS_FOLDER}/{number:08d}.json"
        try:
            record = read_version(root, number)
            if number == published and hashlib.sha256(data).hexdigest() != record.table_sha256:
                what = f"its sha256 is not the one that {where} records"
                yield Finding(code="table_changed", where=TABLE_NAME, what=what)
            if deep:
                where = f"{VERSIONS_FOLDER}/{record.table}"
                if hashlib.sha256(inside(root, where).read_bytes()).hexdigest() != record.table_sha256:
                    what = f"its sha256 is not the one that version {number} records"
                    yield Finding(code="damaged_version", where=where, what=what)
        except (ManifestError, UnsafePathError, OSError) as error:
            yield Finding(code="damaged_version", where=where, what=_clause(error))


def _check_rows(table: pa.Table) -> Iterator[Finding]:
    """What can be seen without opening any file but the table."""
    for field in SCHEMA:
        if not field.nullable and table[field.name].null_count:
            what = f"column {field.name} is empty in {table[field.name].null_count} rows"
            yield Finding(code="missing_value", where=TABLE_NAME, what=what)
    for column, code in (
        ("sample_id", "duplicate_sample_id"),
        ("image_file_name", "shared_file"),
        ("label_file_name", "shared_file"),
    ):
        counts = table.group_by(column).aggregate([(column, "count")])
        for row in counts.filter(pc.greater(counts[f"{column}_count"], 1)).to_pylist():
            what = f"{row[f'{column}_count']} rows have the {column} '{row[column]}'"
            yield Finding(code=code, where=TABLE_NAME, what=what)


def _check_samples(
    root: Path,
    table: pa.Table,
    deep: bool,
    num_workers: int,
    progress: Callable[[int, int], None] | None,
) -> Iterator[Finding]:
    """Each row with its two files, in threads; findings come in the order of rows."""
    num_classes = len(class_names(table.schema))

    def check(start: int) -> list[Finding]:
        rows = table.slice(start, _ROWS_PER_TASK).to_pylist()
        return [finding for row in rows for finding in _check_sample(root, row, num_classes, deep)]

    with ThreadPoolExecutor(num_workers) as threads:
        starts = range(0, table.num_rows, _ROWS_PER_TASK)
        for start, found in zip(starts, threads.map(check, starts), strict=True):
            yield from found
            if progress is not None:
                progress(min(start + _ROWS_PER_TASK, table.num_rows), table.num_rows)


def _check_sample(root: Path, row: Mapping[str, Any], num_classes: int, deep: bool) -> Iterator[Finding]:
    if any(row[field.name] is None for field in SCHEMA if not field.nullable):
        return
    yield from _check_values(row, num_classes)
    for kind in _FILE_KINDS:
        yield from _check_file(root, row, kind, num_classes, deep)


def _check_values(row: Mapping[str, Any], num_classes: int) -> Iterator[Finding]:
    num_pixels, counts = row["width"] * row["height"], row["class_pixel_counts"]
    faults = {
        "bad_value": [
            (row["split"] not in SPLITS, f"split is '{row['split']}', not one of {', '.join(SPLITS)}"),
            (min(row["width"], row["height"]) < 1, f"the size is {row['width']}x{row['height']}"),
            (not 0 <= row["mask_coverage"] <= 1, f"mask_coverage is {row['mask_coverage']}, not in 0 to 1"),
            (not row["accepted"] and not row["reject_reason"], "it is rejected without a reason"),
        ],
        "wrong_pixel_counts": [
            (
                len(counts) != num_classes,
                f"it has {len(counts)} class_pixel_counts for {num_classes} classes",
            ),
            (sum(counts) != num_pixels, f"class_pixel_counts add up to {sum(counts)}, not {num_pixels}"),
        ],
    }
    for code, rules in faults.items():
        for is_broken, what in rules:
            if is_broken:
                yield Finding(code=code, where=TABLE_NAME, what=what, sample_id=row["sample_id"])


def _check_file(
    root: Path, row: Mapping[str, Any], kind: str, num_classes: int, deep: bool
) -> Iterator[Finding]:
    """The first thing that is wrong with a row's image or label, if any."""
    name = row[f"{kind}_file_name"]

    def finding(code: str, what: str) -> Finding:
        return Finding(code=code, where=name, what=what, sample_id=row["sample_id"])

    # Is it there, inside, and as long as it should be?
    try:
        path = inside(root, name)
        status = path.stat()
    except UnsafePathError as error:
        yield finding("unsafe_path", _clause(error))
        return
    except OSError as error:
        yield finding("missing_file", f"the {kind} cannot be opened ({error.strerror})")
        return
    if not stat.S_ISREG(status.st_mode):
        yield finding("missing_file", f"the {kind} is no regular file")
        return
    if status.st_size != row[f"{kind}_bytes"]:
        yield finding("wrong_size", f"the {kind} has {status.st_size} bytes, not {row[f'{kind}_bytes']}")
        return
    if not deep:
        return

    # Are its bytes the published ones, and do they decode to what the row says?
    try:
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != row[f"{kind}_sha256"]:
            yield finding("wrong_sha256", f"the {kind}'s bytes are not the ones that were published")
            return
        width, height = image_size(data)
        if width * height > _MAX_MEGAPIXELS * 1_000_000:
            yield finding(
                "too_large", f"the {kind} has {width}x{height} px, over {_MAX_MEGAPIXELS} megapixels"
            )
            return
        if (width, height) != (row["width"], row["height"]):
            what = f"the {kind} has {width}x{height} px, not {row['width']}x{row['height']}"
            yield finding("wrong_dimensions", what)
            return
        if kind == "image":
            decode_image(data)
            return
        counts = np.bincount(decode_label(data).ravel(), minlength=num_classes).tolist()
    except OSError as error:
        yield finding("missing_file", f"the {kind} cannot be read ({error.strerror})")
        return
    except UndecodableError as error:
        yield finding("undecodable", f"the {kind} cannot be decoded: {error}")
        return

    # Do the label's classes exist and cover what the row says?
    if len(counts) > num_classes:
        unknown = [index for index, count in enumerate(counts) if count and index >= num_classes]
        yield finding(
            "unknown_class_id", f"the label has class ids {unknown}; the palette ends at {num_classes - 1}"
        )
    elif counts != row["class_pixel_counts"]:
        yield finding(
            "wrong_pixel_counts", f"the label has {counts} px per class, not {row['class_pixel_counts']}"
        )


def _find_orphans(root: Path, table: pa.Table) -> Iterator[Finding]:
    """Files beside the published ones that no row of any version names; links to folders are not followed."""
    unnamed = {
        (Path(folder) / file_name).relative_to(root).as_posix()
        for kind in _FILE_KINDS
        for folder, _, file_names in os.walk(root / f"{kind}s")
        for file_name in file_names
    } - _file_names(table)
    for number in reversed(version_numbers(root)):
        if not unnamed:
            return
        # A damaged version is a finding of its own.
        with suppress(ManifestError):
            unnamed -= _file_names(open_manifest(root, version=number).table)
    for name in sorted(unnamed):
        yield Finding(code="orphan_file", where=name, what="no row of any version names it")


def _file_names(table: pa.Table) -> set[str]:
    return {name for kind in _FILE_KINDS for name in table[f"{kind}_file_name"].to_pylist()}
