"""Labels without files, up to a million: what planning them and publishing their images cost."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import yaml

from manifests.schema import SCHEMA, SampleRecord
from pipeline.config import RunConfig, load_config
from pipeline.publish import publish
from pipeline.shards import Shard, SnapshotRef, plan_shards, wanted_samples
from pipeline.staging import read_staged, stage

__all__ = ["simulated"]

SNAPSHOT = SnapshotRef(Path("null.safetensors"), "0" * 64)
PALETTE = Path(__file__).parents[1] / "configs" / "palettes" / "nubots.yaml"


def simulated(root: Path, stage: str, num_labels: int) -> Callable[[], None]:
    """A stage of `num_labels` labels of a folder of its own, ready to be called once.

    The labels' records, which every stage of a run has at hand, are made first; so are the staged shards of
    what is to be published, of which no more than one is in memory meanwhile.

    Args:
        root: a folder for it.
        stage: "plan" or "publish".
        num_labels: of the run; one image of each.
    """
    folder = Path(tempfile.mkdtemp(dir=root))
    config = _config(folder)
    if stage == "publish":
        for shard in _shards(config, num_labels):
            _stage(config, shard)
    labels = list(_labels(0, num_labels))

    def plan() -> None:
        wanted = wanted_samples(config, config.read_palette(), labels, SNAPSHOT)
        nothing = SCHEMA.empty_table()
        to_do, _ = plan_shards(wanted, nothing, [], shard_labels=config.generate.shard_labels)
        assert sum(len(shard.samples) for shard in to_do) == num_labels

    def publish_all() -> None:
        assert publish(config, read_staged(config.output), labels) == 1

    return {"plan": plan, "publish": publish_all}[stage]


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
            class_pixel_counts=(number, 256 * 256 - number, 0, 0, 0, 0),
        )


def _shards(config: RunConfig, num_labels: int) -> Iterator[Shard]:
    each = config.generate.shard_labels
    for number, start in enumerate(range(0, num_labels, each)):
        labels = _labels(start, min(start + each, num_labels))
        yield Shard(number, tuple(wanted_samples(config, config.read_palette(), labels, SNAPSHOT)))


def _stage(config: RunConfig, shard: Shard) -> None:
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
    stage(config.output, shard.name, rows, config.read_palette())
