"""From a dataset's folder to its rows and, safely, to its files."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.schema import SampleRecord, check_schema, from_table, with_later_columns

__all__ = [
    "TABLE_NAME",
    "ManifestError",
    "UnsafePathError",
    "check_relative",
    "inside",
    "open_parquet",
    "read_records",
    "read_schema",
    "read_table",
]

TABLE_NAME = "metadata.parquet"

_SCHEME_OR_DRIVE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class ManifestError(ValueError):
    """A dataset whose table or version records are missing or damaged."""


class UnsafePathError(ValueError):
    """A file name in a manifest that leads, or could lead, out of the dataset's folder."""


def check_relative(name: str) -> None:
    """Refuse a file name that is not plainly relative and inside; looks at the text only, not at the disk.

    Raises:
        UnsafePathError: it is absolute, has a drive or scheme, an empty part, ".", "..", a backslash or NUL.
    """
    parts = name.split("/")
    unsafe = (
        {"", ".", ".."}.intersection(parts) or "\0" in name or "\\" in name or _SCHEME_OR_DRIVE.match(name)
    )
    if unsafe:
        raise UnsafePathError(
            f"The manifest names the file {name!r}; a path inside the dataset's folder was wanted, such as "
            "'images/0000/a.png'."
        )


def inside(root: Path, name: str) -> Path:
    """The file `name` of the dataset at `root`, with every link followed.

    Raises:
        UnsafePathError: the name is unsafe, or a link leads out of `root`.
    """
    check_relative(name)
    path = Path(os.path.realpath(root / name))
    if not path.is_relative_to(os.path.realpath(root)):
        raise UnsafePathError(f"The file {name!r} is a link that leads out of {root}, to {path}.")
    return path


def open_parquet(source: Path | bytes, *, where: Path) -> pq.ParquetFile:
    """A Parquet file whose page checksums are verified while reading; `where` names it in the refusal.

    Raises:
        ManifestError: there is no such file, or it is no Parquet file.
    """
    try:
        reader = pa.BufferReader(source) if isinstance(source, bytes) else source
        return pq.ParquetFile(reader, page_checksum_verification=True)
    except FileNotFoundError:
        raise ManifestError(f"There is no dataset at {where.parent}: {where.name} is missing.") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise ManifestError(f"{where} cannot be read: {error}.") from error


def read_schema(root: Path) -> pa.Schema:
    """Columns, palette and version of the published table; reads the file's end only.

    Raises:
        ManifestError: there is no table, or it cannot be read.
    """
    with open_parquet(root / TABLE_NAME, where=root / TABLE_NAME) as file:
        return file.schema_arrow


def read_table(root: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """The published table, always a committed one, or some of its columns.

    Raises:
        ManifestError: there is no table, or it is damaged.
        SchemaError: it is no manifest.
    """
    path = root / TABLE_NAME
    with open_parquet(path, where=path) as file:
        check_schema(file.schema_arrow)
        try:
            return with_later_columns(file.read()) if columns is None else file.read(columns=list(columns))
        except (pa.ArrowInvalid, OSError) as error:
            raise ManifestError(f"{path} is damaged: {error}.") from error


def read_records(root: Path) -> list[SampleRecord]:
    """The published rows as records. Raises what `read_table` raises."""
    return from_table(read_table(root))
