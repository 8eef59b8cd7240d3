"""The publishing stage: staged shards become a version of the dataset."""

import logging
from collections.abc import Collection, Sequence
from pathlib import Path

from manifests.commit import commit
from manifests.manifest import Manifest
from manifests.reader import TABLE_NAME, read_schema
from manifests.schema import SampleRecord, palette_of, same_classes, to_table, version_number
from manifests.versions import VERSIONS_FOLDER, version_numbers
from pipeline.config import RunConfig
from pipeline.palette import Palette
from pipeline.shards import Shard, staged_path

__all__ = ["output_conflict", "publish"]

logger = logging.getLogger(__name__)


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
    shards: Sequence[Shard],
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
        shards: done and staged.
        labels: every label that there is now.
        missing_sets: sets that are there but not used now; their pictures are not withdrawn.
        snapshot_sha256: what drew them, for the version's record.

    Returns:
        The number of the dataset's newest version, which is the old one when nothing changed.
    """
    added = [sample for shard in shards for sample in shard.samples]
    manifest = Manifest.open(config.output)
    rows = manifest.records
    superseded = _superseded(rows, added) | _changed(rows, labels)
    withdrawn = set()
    if config.publish.withdrawn == "remove" and labels:
        kept = [row for row in rows if row.source_set not in missing_sets]
        withdrawn = _gone(kept, labels) - superseded
    if not (added or superseded or withdrawn):
        return manifest.version
    version = commit(
        config.output,
        to_table(added, palette=config.read_palette().model_dump(mode="json")),
        superseded | withdrawn,
        message=f"{config.name}: {_said(len(added), len(superseded), len(withdrawn))}",
        config_sha256=added[0].config_sha256 if added else None,
        snapshot_sha256=snapshot_sha256,
    )
    for shard in shards:
        staged_path(config.output, shard).unlink(missing_ok=True)
    said = _said(len(added), len(superseded), len(withdrawn))
    logger.info("Published version %d: %s, %s.", version, said, config.output / TABLE_NAME)
    return version


def _superseded(rows: Sequence[SampleRecord], added: Sequence[SampleRecord]) -> set[str]:
    """Rows in whose place others come, of the same labels."""
    renewed = {sample.source_sha256 for sample in added}
    new_ids = {sample.sample_id for sample in added}
    lineages = {(sample.snapshot_sha256, sample.config_sha256) for sample in added}
    places = {_place(sample) for sample in added}
    return {
        row.sample_id
        for row in rows
        if row.source_sha256 in renewed
        and row.sample_id not in new_ids
        and ((row.snapshot_sha256, row.config_sha256) not in lineages or _place(row) in places)
    }


def _changed(rows: Sequence[SampleRecord], labels: Sequence[SampleRecord]) -> set[str]:
    """Rows whose label's file has other bytes now, which no other file has."""
    present = {label.source_sha256 for label in labels}
    places = {(label.source_set, label.source_label) for label in labels}
    return {
        row.sample_id
        for row in rows
        if (row.source_set, row.source_label) in places and row.source_sha256 not in present
    }


def _gone(rows: Sequence[SampleRecord], labels: Sequence[SampleRecord]) -> set[str]:
    """Rows whose label no file holds any more."""
    present = {label.source_sha256 for label in labels}
    return {row.sample_id for row in rows if row.source_sha256 not in present}


def _place(sample: SampleRecord) -> tuple[str, int, int]:
    """What a dataset of one snapshot and settings has one picture of."""
    return sample.source_sha256, sample.seed, sample.variant


def _said(num_added: int, num_superseded: int, num_withdrawn: int) -> str:
    parts = (f"{num_added} images", f"{num_superseded} superseded", f"{num_withdrawn} withdrawn")
    return ", ".join(part for part in parts if not part.startswith("0 ")) or parts[0]
