"""The publishing stage: staged shards become a version of the dataset."""

import logging
from collections.abc import Collection, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from manifests.commit import commit
from manifests.manifest import Manifest
from manifests.reader import TABLE_NAME, read_schema
from manifests.schema import SampleRecord, palette_of, same_classes, to_table, version_number
from manifests.table_file import ManifestError
from manifests.versions import VERSIONS_FOLDER, version_numbers
from pipeline.config import RunConfig
from pipeline.palette import Palette
from pipeline.staging import StagedShard, next_folder, unstage_shard

__all__ = ["output_conflict", "publish"]

logger = logging.getLogger(__name__)

_FILE = ("source_set", "source_label")
"""Where a label's file lies."""
_LINEAGE = ("snapshot_sha256", "config_sha256")
"""What drew a picture."""
_PLACE = ("source_sha256", "seed", "variant")
"""What a dataset of one lineage has one picture of."""


def output_conflict(output: Path, palette: Palette) -> str | None:
    """Why a run cannot publish to an output, as a clause; None when it can, or nothing is there yet.

    Raises:
        ManifestError: the dataset's table is damaged.
    """
    if not (output / TABLE_NAME).is_file():
        return None
    schema = read_schema(output)
    if version_number(schema) > max(version_numbers(output), default=-1):
        return f"its {TABLE_NAME} is of no version that {VERSIONS_FOLDER} records, so nothing can be added"
    published = palette_of(schema)
    if same_classes(published, palette.model_dump(mode="json")):
        return None
    return f"it holds a dataset of palette '{published.get('name')}', not of '{palette.name}'"


def publish(
    config: RunConfig,
    shards: Sequence[StagedShard],
    labels: Sequence[SampleRecord] = (),
    *,
    missing_sets: Collection[str] = (),
    snapshot_sha256: str | None = None,
) -> int:
    """Commit finished shards as one version.

    What they supersede leaves with it: pictures of the same labels from earlier snapshots or settings, those
    of the same label, seed and variant with another render or background, and those of labels that have
    changed since. With `publish.withdrawn: remove` pictures of labels that are gone leave, too.

    Args:
        config: the run.
        shards: what to add.
        labels: every label that there is now.
        missing_sets: sets that are there but not used now; their pictures are not withdrawn.
        snapshot_sha256: what drew them, for the version's record.

    Returns:
        The number of the dataset's newest version, which is the old one when nothing changed.

    Raises:
        ManifestError: a staged shard is damaged, or gone without having been published.
    """
    manifest = Manifest.open(config.output)
    rows, there_now = manifest.table, _table_of(labels)
    added = _rows_of(shards, rows, config.read_palette())
    superseded = _superseded(rows, added) | _changed(rows, there_now)
    withdrawn = set()
    if config.publish.withdrawn == "remove" and labels:
        missing = pc.is_in(rows["source_set"], value_set=pa.array(missing_sets, pa.string()))
        withdrawn = _ids(_gone(rows.filter(pc.invert(missing)), there_now)) - superseded
    if not (added.num_rows or superseded or withdrawn):
        return manifest.version
    said = _said(added.num_rows, len(superseded), len(withdrawn))
    version = commit(
        config.output,
        added,
        superseded | withdrawn,
        message=f"{config.name}: {said}",
        config_sha256=added["config_sha256"][0].as_py() if added.num_rows else None,
        snapshot_sha256=snapshot_sha256,
    )
    for shard in shards:
        unstage_shard(shard)
    if version != manifest.version:
        logger.info("Published version %d: %s, %s.", version, said, config.output / TABLE_NAME)
    return version


def _rows_of(shards: Sequence[StagedShard], published: pa.Table, palette: Palette) -> pa.Table:
    """The rows to add: of a shard whose file an attempt before this one has tidied up, none."""
    tables = [to_table([], palette=palette.model_dump(mode="json"))]
    for shard in shards:
        if shard.path.exists():
            tables.append(shard.read())
        elif shard.number >= next_folder(published):
            raise ManifestError(
                f"{shard.path} is gone, and its rows are not published; run the same command again."
            )
    return pa.concat_tables(tables)


def _superseded(rows: pa.Table, added: pa.Table) -> set[str]:
    """Rows in whose place others come, of the same labels."""
    known = pc.is_in(rows["sample_id"], value_set=_values(added, "sample_id"))
    renewed = pc.is_in(rows["source_sha256"], value_set=_values(added, "source_sha256"))
    old = rows.filter(pc.and_not(renewed, known)).select(["sample_id", *_PLACE, *_LINEAGE])
    otherwise_drawn = old.join(added.select(_LINEAGE), list(_LINEAGE), join_type="left anti")
    displaced = old.join(added.select(_PLACE), list(_PLACE), join_type="left semi")
    return _ids(otherwise_drawn) | _ids(displaced)


def _changed(rows: pa.Table, labels: pa.Table) -> set[str]:
    """Rows whose label's file has other bytes now, which no other file has."""
    found = rows.select(["sample_id", "source_sha256", *_FILE]).join(
        labels.select(_FILE), list(_FILE), join_type="left semi"
    )
    return _ids(_gone(found, labels))


def _gone(rows: pa.Table, labels: pa.Table) -> pa.Table:
    """Rows whose label no file holds any more."""
    present = pc.is_in(rows["source_sha256"], value_set=_values(labels, "source_sha256"))
    return rows.filter(pc.invert(present))


def _table_of(labels: Sequence[SampleRecord]) -> pa.Table:
    """What rows are compared with, of labels."""
    names = ("source_sha256", *_FILE)
    return pa.table({name: pa.array([getattr(one, name) for one in labels], pa.string()) for name in names})


def _values(table: pa.Table, name: str) -> pa.Array:
    return pc.unique(table[name])


def _ids(rows: pa.Table) -> set[str]:
    return set(rows["sample_id"].to_pylist())


def _said(num_added: int, num_superseded: int, num_withdrawn: int) -> str:
    parts = (f"{num_added} images", f"{num_superseded} superseded", f"{num_withdrawn} withdrawn")
    return ", ".join(part for part in parts if not part.startswith("0 ")) or parts[0]
