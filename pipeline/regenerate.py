"""Whether published images are what their lineage makes: some are drawn again, and compared byte by byte."""

import tempfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import torch

from gan.schedule import derived_seed
from manifests.manifest import Manifest
from manifests.schema import SampleRecord
from manifests.verification.findings import Finding
from pipeline.config import RunConfig
from pipeline.generate import Generation, ShardFiles
from pipeline.prepare import Prepared
from pipeline.progress import ShowProgress, show_progress
from pipeline.retraining import training_folders
from pipeline.run import gather_stage, prepare_stage
from pipeline.shards import Shard, SnapshotRef, settings_fingerprint

__all__ = ["regenerate"]


def regenerate(
    config: RunConfig, num_rows: int, *, seed: int = 0, show: ShowProgress = show_progress
) -> list[Finding]:
    """Draw random rows of the run's dataset again; nothing of it is changed.

    Equal bytes can be wanted of the same build on the same kind of device only.

    Args:
        config: the run that published the rows.
        num_rows: how many; all of a smaller dataset.
        seed: which ones.
        show: how progress is shown.

    Returns:
        Rows that came out otherwise ("not_reproduced"), and rows whose label, snapshot or settings are not
        those of the run any more ("no_lineage").
    """
    manifest = Manifest.open(config.output)
    random = np.random.default_rng(derived_seed(seed, "regenerate", manifest.version))
    chosen = random.choice(manifest.table.num_rows, min(num_rows, manifest.table.num_rows), replace=False)
    rows = manifest.table.take(np.sort(chosen))
    with tempfile.TemporaryDirectory(prefix="regenerate-") as folder:
        # What is drawn, and what is found of bad sources, goes elsewhere.
        elsewhere = gather_stage(config.model_copy(update={"output": Path(folder)}), show)
        needs_photos = config.train.drawn_background == "photo"
        prepared = prepare_stage(elsewhere, show, needs_photos=needs_photos)
        found, drawable = [], []
        for row in Manifest(manifest.store, manifest.version, rows).records:
            fault = _fault(config, prepared, row)
            found += [_finding("no_lineage", row, fault)] if fault else []
            drawable += [] if fault else [row]
        with show("regenerate", "images") as progress:
            for done, finding in enumerate(_compare(elsewhere, prepared, drawable), 1):
                progress(done, len(drawable))
                found += [finding] if finding else []
    return found


def _fault(config: RunConfig, prepared: Prepared, row: SampleRecord) -> str | None:
    """Why a row cannot be drawn again, as a clause."""
    if row.config_sha256 != settings_fingerprint(config, config.read_palette()):
        return "it was drawn with other settings than those of the config"
    if row.source_sha256 not in prepared.label_paths:
        return f"its label, {row.source_label} as it was, is not among the sources"
    if _snapshot(config, row) is None:
        return f"its snapshot {row.snapshot_name} is not in {config.run_dir}"
    if row.background_sha256 is not None and row.background_sha256 not in prepared.background_paths:
        return "the photograph of its background is not among the sources"
    return None


def _snapshot(config: RunConfig, row: SampleRecord) -> SnapshotRef | None:
    """What drew a row, wherever the run's trainings have left it."""
    paths = (
        folder / "snapshots" / f"{row.snapshot_name}.safetensors"
        for folder in training_folders(config.run_dir)
    )
    found = (SnapshotRef.of(path) for path in paths if path.is_file())
    return next((snapshot for snapshot in found if snapshot.sha256 == row.snapshot_sha256), None)


def _compare(config: RunConfig, prepared: Prepared, rows: Sequence[SampleRecord]) -> Iterator[Finding | None]:
    """Draw rows again, by snapshot; of each the finding, if there is one."""
    ordered = sorted(rows, key=lambda row: (row.snapshot_sha256, row.source_sha256, row.variant))
    for number, (_, group) in enumerate(groupby(ordered, key=lambda row: row.snapshot_sha256)):
        of_snapshot = tuple(group)
        shard = Shard(number, of_snapshot)
        generation = Generation(config, _snapshot(config, of_snapshot[0]))
        again = generation.run(shard, ShardFiles.of(shard, prepared), lambda: None)
        yield from (_difference(*pair) for pair in zip(of_snapshot, again.records(), strict=True))


def _difference(row: SampleRecord, again: SampleRecord) -> Finding | None:
    differing = [
        kind
        for kind in ("image", "label")
        if getattr(row, f"{kind}_sha256") != getattr(again, f"{kind}_sha256")
    ]
    if not differing:
        return None
    what = f"drawn again, its {' and '.join(differing)} came out otherwise"
    if row.torch_version != torch.__version__:
        what += f" (it was drawn with torch {row.torch_version}, now with {torch.__version__})"
    return _finding("not_reproduced", row, what)


def _finding(code: str, row: SampleRecord, what: str) -> Finding:
    return Finding(code=code, where=row.image_file_name, what=what, sample_id=row.sample_id)
