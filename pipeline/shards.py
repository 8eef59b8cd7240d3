"""What to generate: every label and variant that is wanted, less what exists, in shards.

A shard is the unit of work, retry and resume. Its pictures lie in `images/<number>/`; when all of them are
written, its rows are left in `_staging/`, and that file's existence is what makes it done.
"""

import hashlib
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pyarrow.parquet as pq

from manifests.durable import is_temporary, make_folders, write_durable
from manifests.files import STAGING_FOLDER, named_by_versions
from manifests.schema import SampleRecord, from_table, lineage_key, sample_id, to_table
from manifests.splits import split_of
from manifests.storage.opening import open_store
from manifests.versions import version_numbers
from manifests.writer import table_bytes
from pipeline.backgrounds import Backgrounds
from pipeline.config import RunConfig, fingerprint
from pipeline.palette import Palette

__all__ = [
    "Shard",
    "SnapshotRef",
    "plan_shards",
    "read_staged",
    "remove_leftovers",
    "stage",
    "staged_path",
    "wanted_samples",
]

logger = logging.getLogger(__name__)

OWN_FOLDERS = (STAGING_FOLDER, "_quarantine", "report")
"""Folders that only the run that holds the output writes to."""
NO_SPLITS: Mapping[str, str] = MappingProxyType({})
_PICTURE_NAME = re.compile(r".+-[0-9a-f]{10}\.(png|jpg)")


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
    published: Sequence[SampleRecord],
    staged: Sequence[Shard],
    *,
    shard_labels: int,
) -> tuple[list[Shard], list[Shard]]:
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
    existing = {sample.sample_id for sample in published}
    open_samples = [sample for sample in wanted if sample.sample_id not in existing]
    number = _next_number(published)
    planned = _split(open_samples, number, shard_labels)
    done = {shard.name for shard in staged}
    if done <= {shard.name for shard in planned}:
        return [shard for shard in planned if shard.name not in done], list(staged)

    open_ids = {sample.sample_id for sample in open_samples}
    kept = [shard for shard in staged if all(sample.sample_id in open_ids for sample in shard.samples)]
    kept_ids = {sample.sample_id for shard in kept for sample in shard.samples}
    number = max([number, *(shard.number + 1 for shard in kept)])
    rest = [sample for sample in open_samples if sample.sample_id not in kept_ids]
    return _split(rest, number, shard_labels), kept


def staged_path(output: Path, shard: Shard) -> Path:
    """The file whose existence makes a shard done."""
    return output / STAGING_FOLDER / f"{shard.name}.parquet"


def stage(output: Path, shard: Shard, palette: Palette) -> None:
    """Mark a shard as done: its pictures are written, `shard.samples` are their rows."""
    path = staged_path(output, shard)
    make_folders(path.parent)
    write_durable(path, table_bytes(to_table(shard.samples, palette=palette.model_dump(mode="json"))))


def read_staged(output: Path) -> list[Shard]:
    """The shards that are done and not published yet."""
    shards = []
    for path in sorted((output / STAGING_FOLDER).glob("shard-*.parquet")):
        samples = tuple(from_table(pq.read_table(path)))
        shards.append(Shard(int(path.stem.split("-")[1]), samples))
    return shards


def remove_leftovers(output: Path, published: Sequence[SampleRecord], kept: Sequence[Shard]) -> None:
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
    first = _next_number(published)
    named = {output / name for shard in kept for sample in shard.samples for name in _file_names(sample)}
    leftovers = {
        path
        for folder in chain((output / "images").glob("*"), (output / "labels").glob("*"))
        if folder.name.isdecimal() and int(folder.name) >= first
        for path in folder.iterdir()
        if is_temporary(path.name) or _PICTURE_NAME.fullmatch(path.name)
    } - named
    if leftovers:
        store = open_store(output)
        leftovers -= {output / name for name in named_by_versions(store, version_numbers(store))}
    for path in leftovers:
        path.unlink()


def _file_names(sample: SampleRecord) -> tuple[str, str]:
    return sample.image_file_name, sample.label_file_name


def _next_number(published: Sequence[SampleRecord]) -> int:
    return 1 + max((int(Path(row.image_file_name).parts[1]) for row in published), default=-1)


def _split(samples: Sequence[SampleRecord], number: int, shard_labels: int) -> list[Shard]:
    labels = [tuple(group) for _, group in groupby(samples, key=lambda sample: sample.source_sha256)]
    chunks = [labels[start : start + shard_labels] for start in range(0, len(labels), shard_labels)]
    return [
        Shard(number + index, tuple(s for label in chunk for s in label))
        for index, chunk in enumerate(chunks)
    ]
