"""Shards that are done and not published yet, each a file of its rows; and what killed runs leave behind.

The file's existence is what makes a shard done: it is written when all of the shard's pictures are.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from manifests.durable import is_temporary, make_folders, write_durable
from manifests.files import STAGING_FOLDER, named_by_versions
from manifests.schema import SampleRecord, from_table, to_table
from manifests.storage.opening import open_store
from manifests.table_file import TableFile
from manifests.versions import version_numbers
from manifests.writer import table_bytes
from pipeline.palette import Palette

__all__ = ["StagedShard", "next_folder", "read_staged", "remove_leftovers", "stage", "unstage"]

OWN_FOLDERS = (STAGING_FOLDER, "_quarantine", "report")
"""Folders that only the run that holds the output writes to."""
_FILE_NAMES = ("image_file_name", "label_file_name")
_PICTURE_NAME = re.compile(r".+-[0-9a-f]{10}\.(png|jpg)")


@dataclass(frozen=True, slots=True)
class StagedShard:
    """A shard that is done; its rows stay in the file until somebody asks for them."""

    path: Path
    num_samples: int

    @property
    def name(self) -> str:
        """That of the shard as it was planned."""
        return self.path.stem

    @property
    def number(self) -> int:
        return int(self.name.split("-")[1])

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Its rows, or some of their columns. Raises ManifestError when the file is damaged."""
        return TableFile(self.path.read_bytes(), where=str(self.path)).read(columns)

    def records(self) -> list[SampleRecord]:
        """Its rows as records. Raises ManifestError when the file is damaged."""
        return from_table(self.read())


def stage(output: Path, name: str, samples: Iterable[SampleRecord], palette: Palette) -> StagedShard:
    """Mark a shard as done: its pictures are written.

    Args:
        output: the dataset.
        name: the shard's.
        samples: its finished rows.
        palette: of their labels.
    """
    table = to_table(samples, palette=palette.model_dump(mode="json"))
    path = output / STAGING_FOLDER / f"{name}.parquet"
    make_folders(path.parent)
    write_durable(path, table_bytes(table))
    return StagedShard(path, table.num_rows)


def read_staged(output: Path) -> list[StagedShard]:
    """The shards that are done and not published yet. Raises ManifestError when one's file is damaged."""
    return [
        StagedShard(path, TableFile(path.read_bytes(), where=str(path)).num_rows)
        for path in sorted((output / STAGING_FOLDER).glob("shard-*.parquet"))
    ]


def unstage(shard: StagedShard) -> None:
    """Forget a shard whose rows are published."""
    shard.path.unlink(missing_ok=True)


def next_folder(published: pa.Table) -> int:
    """The first number of a folder in images/ and labels/ that is above those of a dataset's rows."""
    if not published.num_rows:
        return 0
    numbers = pc.list_element(pc.split_pattern(published["image_file_name"], "/"), 1)
    return 1 + pc.max(pc.cast(numbers, pa.int64())).as_py()


def remove_leftovers(output: Path, published: pa.Table, kept: Sequence[StagedShard]) -> None:
    """Remove what killed runs left: half-written files, staged shards that nobody wants any more, and
    pictures that neither a staged shard nor any version names. Half-written versions stay: others may be
    writing them.

    Args:
        output: the dataset, held by this process.
        published: its rows.
        kept: the staged shards to publish.
    """
    names = {shard.name for shard in kept}
    for path in (output / STAGING_FOLDER).glob("shard-*.parquet"):
        if path.stem not in names:
            path.unlink()
    for folder in OWN_FOLDERS:
        for path in (output / folder).glob(".*"):
            if is_temporary(path.name):
                path.unlink()
    first = next_folder(published)
    leftovers = {
        path
        for folder in chain((output / "images").glob("*"), (output / "labels").glob("*"))
        if folder.name.isdecimal() and int(folder.name) >= first
        for path in folder.iterdir()
        if is_temporary(path.name) or _PICTURE_NAME.fullmatch(path.name)
    }
    for shard in kept:
        rows = shard.read(_FILE_NAMES)
        leftovers -= {output / name for column in rows.columns for name in column.to_pylist()}
    if leftovers:
        store = open_store(output)
        leftovers -= {output / name for name in named_by_versions(store, version_numbers(store))}
    for path in leftovers:
        path.unlink()
