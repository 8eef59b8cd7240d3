"""What to generate: every label and variant that is wanted, less what exists, in shards.

A shard is the unit of work, retry and resume. Its pictures lie in `images/<number>/`; when all of them are
written, its rows are left in `_staging/` (see `pipeline.staging`).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pyarrow as pa

from manifests.schema import SampleRecord, lineage_key, sample_id
from manifests.splits import split_of
from pipeline.backgrounds import Backgrounds
from pipeline.config import RunConfig, fingerprint
from pipeline.palette import Palette
from pipeline.staging import StagedShard, next_folder

__all__ = ["Shard", "SnapshotRef", "plan_shards", "settings_fingerprint", "wanted_samples"]

NO_SPLITS: Mapping[str, str] = MappingProxyType({})


class SnapshotRef(NamedTuple):
    """A snapshot by its content."""

    path: Path
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "SnapshotRef":
        return cls(path, hashlib.sha256(path.read_bytes()).hexdigest())


@dataclass(frozen=True)
class Shard:
    """Some hundred labels, each with all of its variants."""

    number: int
    samples: tuple[SampleRecord, ...]

    @property
    def name(self) -> str:
        """Its number and what it holds: equal names, equal samples."""
        ids = "\n".join(sample.sample_id for sample in self.samples)
        return f"shard-{self.number:04d}-{hashlib.sha256(ids.encode()).hexdigest()[:10]}"

    @property
    def folder(self) -> str:
        return f"{self.number:04d}"


def settings_fingerprint(config: RunConfig, palette: Palette) -> str:
    """sha256 over every setting that a picture's bytes depend on, beside its label, snapshot, seed and
    variant."""
    settings = config.generate.model_dump(include={"image_format", "scale"})
    settings["precision"] = config.train.precision
    settings["classes"] = [(entry.name, entry.color) for entry in palette.classes]
    if config.generate.image_format == "jpg":
        settings["jpeg_quality"] = config.generate.jpeg_quality
    if config.generate.scale == "train":
        settings |= {"width": config.train.width, "height": config.train.height}
    return fingerprint(settings, config.noise)


def wanted_samples(
    config: RunConfig,
    palette: Palette,
    labels: Iterable[SampleRecord],
    snapshot: SnapshotRef,
    published_splits: Mapping[str, str] = NO_SPLITS,
    background_sha256s: Iterable[str] = (),
) -> list[SampleRecord]:
    """One record for every label and variant, named and assigned to its split; ordered by name.

    Args:
        config: the run.
        palette: of the labels.
        labels: records as `pipeline.prepare` found them.
        snapshot: what will draw the images.
        published_splits: source sha256 -> split, of labels that the dataset has images of: they keep it.
        background_sha256s: photographs to choose from where backgrounds are pasted.
    """
    settings = settings_fingerprint(config, palette)
    backgrounds = Backgrounds(background_sha256s) if config.train.drawn_background == "photo" else None
    wanted = []
    for label in labels:
        split = published_splits.get(label.source_sha256) or split_of(
            label.source_sha256,
            label.source_part,
            val_fraction=config.publish.val_fraction,
            test_fraction=config.publish.test_fraction,
        )
        for variant in range(config.generate.variants):
            seed, background = config.generate.seed, None
            if backgrounds is not None:
                background = backgrounds.choose(label.source_sha256, seed, variant)
            key = lineage_key(
                source_sha256=label.source_sha256,
                render_sha256=label.render_sha256,
                background_sha256=background,
                seed=seed,
                variant=variant,
                snapshot_sha256=snapshot.sha256,
                settings_sha256=settings,
            )
            sample = replace(
                label,
                sample_id=sample_id(Path(label.source_label).stem, key),
                background_sha256=background,
                split=split,
                seed=seed,
                variant=variant,
                method=config.train.method,
                snapshot_name=snapshot.path.stem,
                snapshot_sha256=snapshot.sha256,
                config_sha256=settings,
            )
            wanted.append(sample)
    return sorted(wanted, key=lambda sample: (sample.source_sha256, sample.variant))


def plan_shards(
    wanted: Sequence[SampleRecord],
    published: pa.Table,
    staged: Sequence[StagedShard],
    *,
    shard_labels: int,
) -> tuple[list[Shard], list[StagedShard]]:
    """Split what is wanted and does not exist into shards.

    An interrupted run plans the same shards again and finds some of them done. Where the labels have changed
    in between, the shards that are done stay as they are, as far as all of their samples are still wanted,
    and the rest is planned anew.

    Args:
        wanted: every sample of the run.
        published: rows of the dataset.
        staged: shards that are done and not published yet.
        shard_labels: labels per shard.

    Returns:
        The shards to do, and the staged ones to publish with them.
    """
    existing = set(published["sample_id"].to_pylist())
    open_samples = [sample for sample in wanted if sample.sample_id not in existing]
    number = next_folder(published)
    planned = _split(open_samples, number, shard_labels)
    done = {shard.name for shard in staged}
    if done <= {shard.name for shard in planned}:
        return [shard for shard in planned if shard.name not in done], list(staged)

    open_ids = {sample.sample_id for sample in open_samples}
    staged_ids = {shard: set(shard.read(["sample_id"])["sample_id"].to_pylist()) for shard in staged}
    kept = [shard for shard in staged if staged_ids[shard] <= open_ids]
    kept_ids = {name for shard in kept for name in staged_ids[shard]}
    number = max([number, *(shard.number + 1 for shard in kept)])
    rest = [sample for sample in open_samples if sample.sample_id not in kept_ids]
    return _split(rest, number, shard_labels), kept


def _split(samples: Sequence[SampleRecord], number: int, shard_labels: int) -> list[Shard]:
    labels = [tuple(group) for _, group in groupby(samples, key=lambda sample: sample.source_sha256)]
    chunks = [labels[start : start + shard_labels] for start in range(0, len(labels), shard_labels)]
    return [
        Shard(number + index, tuple(s for label in chunk for s in label))
        for index, chunk in enumerate(chunks)
    ]
