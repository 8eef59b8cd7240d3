"""Shards that are done and not published yet, each a file of its rows; and what killed runs leave behind.

The file's existence is what makes a shard done: it is written when all of the shard's pictures are.
"""

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from manifests.durable import is_temporary, make_folders, write_durable
from manifests.files import NAME_COLUMNS, STAGING_FOLDER, named_by_versions, named_in
from manifests.schema import SampleRecord, from_table, to_table
from manifests.storage.opening import open_store
from manifests.table_file import ManifestError, TableFile
from manifests.versions import version_numbers
from manifests.writer import table_bytes
from pipeline.palette import Palette

__all__ = ["StagedShard", "next_folder", "read_staged", "remove_leftovers", "stage_shard", "unstage_shard"]

logger = logging.getLogger(__name__)

_OWN_FOLDERS = (STAGING_FOLDER, "_quarantine", "report")
"""Folders that only the run that holds the output writes to."""
_PICTURE_FOLDERS = ("images", "labels")
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


def stage_shard(output: Path, name: str, samples: Iterable[SampleRecord], palette: Palette) -> StagedShard:
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
    """The shards that are done and not published yet; one whose file is damaged is not done."""
    shards = []
    for path in sorted((output / STAGING_FOLDER).glob("shard-*.parquet")):
        try:
            num_samples = TableFile(path.read_bytes(), where=str(path)).read().num_rows
        except ManifestError as error:
            logger.warning("%s Its images are drawn again.", error)
            continue
        shards.append(StagedShard(path, num_samples))
    return shards


def unstage_shard(shard: StagedShard) -> None:
    """Forget a shard whose rows are published."""
    shard.path.unlink(missing_ok=True)


def next_folder(published: pa.Table) -> int:
    """The first number of a folder in images/ and labels/ that is above those of a dataset's rows."""
    folders = pc.unique(pc.list_element(pc.split_pattern(published["image_file_name"], "/"), 1))
    return 1 + max((int(name) for name in folders.to_pylist() if name.isdecimal()), default=-1)


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
    for folder in _OWN_FOLDERS:
        for path in (output / folder).glob(".*"):
            if is_temporary(path.name):
                path.unlink()
    first, kept_shards = next_folder(published), {shard.number: shard for shard in kept}
    store = open_store(output)
    named = cache(lambda: named_by_versions(store, version_numbers(store)))  # read if there is a leftover
    for folder in (path for kind in _PICTURE_FOLDERS for path in (output / kind).glob("*")):
        if not folder.name.isdecimal() or int(folder.name) < first:
            continue
        leftovers = {
            path.relative_to(output).as_posix()
            for path in folder.iterdir()
            if is_temporary(path.name) or _PICTURE_NAME.fullmatch(path.name)
        }
        if int(folder.name) in kept_shards:
            leftovers -= named_in(kept_shards[int(folder.name)].read(NAME_COLUMNS))
        for name in leftovers - named() if leftovers else ():
            (output / name).unlink()
