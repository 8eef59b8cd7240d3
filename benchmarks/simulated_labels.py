"""Labels without files, up to a million: what planning them and publishing their images cost."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import yaml

from manifests.manifest import Manifest
from manifests.schema import SCHEMA, SampleRecord
from manifests.versions import read_version
from pipeline.config import RunConfig, load_config
from pipeline.publish import publish
from pipeline.shards import Shard, SnapshotRef, plan_shards, wanted_samples
from pipeline.staging import next_folder, read_staged, stage_shard

__all__ = ["simulated"]

SNAPSHOTS = {
    "publish": SnapshotRef(Path("first.safetensors"), "0" * 64),
    "supersede": SnapshotRef(Path("second.safetensors"), "1" * 64),
}
"""What drew the images that are to be published."""
PALETTE = Path(__file__).parents[1] / "configs" / "palettes" / "nubots.yaml"


def simulated(root: Path, what: str, num_labels: int) -> Callable[[], None]:
    """A stage of `num_labels` labels of a folder of its own, ready to be called once.

    The labels' records, which every stage of a run has at hand, are made first; so are the staged shards of
    what is to be published, of which no more than one is in memory meanwhile.

    Args:
        root: a folder for it, which "supersede" must find as "publish" left it.
        what: "plan", "publish", or "supersede": publish in the place of as many rows of another snapshot.
        num_labels: of the run; one image of each.
    """
    config = _config(root)
    if what != "plan":
        for shard in _shards(config, num_labels, SNAPSHOTS[what]):
            _stage_shard(config, shard)
    labels = list(_labels(0, num_labels))
    return partial(_plan if what == "plan" else _publish, config, labels)


def _plan(config: RunConfig, labels: Sequence[SampleRecord]) -> None:
    wanted = wanted_samples(config, config.read_palette(), labels, SNAPSHOTS["publish"])
    to_do, _ = plan_shards(wanted, SCHEMA.empty_table(), [], shard_labels=config.generate.shard_labels)
    if sum(len(shard.samples) for shard in to_do) != len(labels):
        raise AssertionError("labels are missing from the plan")


def _publish(config: RunConfig, labels: Sequence[SampleRecord]) -> None:
    version = publish(config, read_staged(config.output), labels)
    if read_version(config.output, version).rows != len(labels):
        raise AssertionError("rows are missing, or there are some too many")


def _config(folder: Path) -> RunConfig:
    path = folder / "simulated.yaml"
    run = {"name": "simulated", "palette": str(PALETTE), "run_dir": "run", "output": "out"}
    path.write_text(yaml.safe_dump(run | {"sources": {"labels": ["set"]}}), encoding="utf-8")
    return load_config(path)


def _labels(start: int, stop: int) -> Iterator[SampleRecord]:
    """What the check of the sources finds."""
    for number in range(start, stop):
        yield SampleRecord(
            source_set="set",
            source_label=f"segTrain/label_{number:07d}.png",
            source_sha256=f"{number:064x}",
            source_part="train",
            width=256,
            height=256,
            class_pixel_counts=(number % 65_536, 65_536 - number % 65_536, 0, 0, 0, 0),
        )


def _shards(config: RunConfig, num_labels: int, snapshot: SnapshotRef) -> Iterator[Shard]:
    each, first = config.generate.shard_labels, next_folder(Manifest.open(config.output).table)
    for number, start in enumerate(range(0, num_labels, each), first):
        labels = _labels(start, min(start + each, num_labels))
        yield Shard(number, tuple(wanted_samples(config, config.read_palette(), labels, snapshot)))


def _stage_shard(config: RunConfig, shard: Shard) -> None:
    """As if it had been drawn."""
    rows = (
        replace(
            sample,
            image_file_name=f"images/{shard.folder}/{sample.sample_id}.jpg",
            label_file_name=f"labels/{shard.folder}/{sample.sample_id}.png",
            image_bytes=40_000,
            label_bytes=3_000,
            image_sha256=f"1{sample.source_sha256[1:]}",
            label_sha256=f"2{sample.source_sha256[1:]}",
            mask_coverage=0.5,
            accepted=True,
            seg2real_version="none",
            torch_version="none",
        )
        for sample in shard.samples
    )
    stage_shard(config.output, shard.name, rows, config.read_palette())
