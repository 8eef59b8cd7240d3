"""What to generate: names by lineage, and plans that survive interruptions and new labels."""

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from manifests.schema import SCHEMA, SampleRecord
from pipeline.config import RunConfig
from pipeline.palette import Palette
from pipeline.shards import Shard, SnapshotRef, plan_shards, wanted_samples
from pipeline.staging import StagedShard, stage_shard

NOTHING = SCHEMA.empty_table()
"""The rows of a dataset that is not there yet."""
SNAPSHOT = SnapshotRef(Path("run/snapshots/snapshot-00000008.safetensors"), "5" * 64)


def label(name: str, part: str = "train") -> SampleRecord:
    digest = hashlib.sha256(name.encode()).hexdigest()
    return SampleRecord(
        source_set="s", source_label=f"segTrain/{name}.png", source_sha256=digest, source_part=part
    )


@pytest.fixture
def wanted(config: RunConfig, palette: Palette) -> Callable[..., list[SampleRecord]]:
    def want(num: int, *, variants: int = 1, snapshot: SnapshotRef = SNAPSHOT) -> list[SampleRecord]:
        generate = config.generate.model_copy(update={"variants": variants})
        labels = [label(f"label-{number}") for number in range(num)]
        return wanted_samples(config.model_copy(update={"generate": generate}), palette, labels, snapshot)

    return want


@pytest.fixture
def done(config: RunConfig, palette: Palette, finished: Callable) -> Callable[[Shard], StagedShard]:
    """A shard that has been drawn and staged."""
    return lambda shard: stage_shard(config.output, shard.name, finished(shard), palette)


def ids(samples: Sequence[SampleRecord]) -> list[str]:
    return [sample.sample_id for sample in samples]


def ids_of(shards: Sequence[Shard | StagedShard]) -> list[str]:
    samples = [shard.samples if isinstance(shard, Shard) else shard.records() for shard in shards]
    return [identifier for some in samples for identifier in ids(some)]


def change(config: RunConfig, section: str, **values: object) -> RunConfig:
    return config.model_copy(update={section: getattr(config, section).model_copy(update=values)})


def test_every_label_and_variant_is_wanted_once_in_an_order_of_its_own(
    config: RunConfig, palette: Palette
) -> None:
    labels = [label(f"label-{number}") for number in range(20)]
    several = change(config, "generate", variants=3)
    samples = wanted_samples(several, palette, labels, SNAPSHOT)
    assert len(set(ids(samples))) == 60
    assert {(s.source_label, s.variant) for s in samples} == {
        (each.source_label, variant) for each in labels for variant in range(3)
    }
    random.Random(0).shuffle(labels)
    assert wanted_samples(several, palette, labels, SNAPSHOT) == samples
    # The first variant is the one that would be drawn alone.
    assert set(ids(samples)) > set(ids(wanted_samples(config, palette, labels, SNAPSHOT)))


def test_what_the_bytes_depend_on_changes_the_names_and_nothing_else_does(
    config: RunConfig, palette: Palette
) -> None:
    def names(config: RunConfig, palette: Palette = palette, snapshot: SnapshotRef = SNAPSHOT) -> list[str]:
        return ids(wanted_samples(config, palette, [label("a")], snapshot))

    plain = names(config)
    assert plain[0].startswith("a-")
    others = [
        names(change(config, "generate", seed=1)),
        names(change(config, "generate", scale="native")),
        names(change(config, "generate", image_format="jpg")),
        names(change(config, "generate", image_format="jpg", jpeg_quality=80)),
        names(change(config, "train", width=32)),
        names(change(config, "train", precision="fp32")),
        names(change(config, "noise", amount=0.1)),
        names(change(config, "noise", correlation_px=3.0)),
        names(config, palette.model_copy(update={"classes": palette.classes[::-1]})),
        names(config, snapshot=SNAPSHOT._replace(sha256="6" * 64)),
        ids(wanted_samples(config, palette, [replace(label("a"), source_sha256="0" * 64)], SNAPSHOT)),
        ids(wanted_samples(config, palette, [replace(label("a"), render_sha256="0" * 64)], SNAPSHOT)),
    ]
    assert len({plain[0], *(other[0] for other in others)}) == len(others) + 1
    assert names(config, palette.model_copy(update={"name": "other"})) == plain
    for same in (
        change(config, "generate", jpeg_quality=80),
        change(config, "generate", batch_size=7),
        change(config, "generate", num_workers=5),
        change(config, "generate", shard_labels=99),
        change(config, "train", report_every_images=77),
        change(config, "publish", val_fraction=0.4),
        config.model_copy(update={"output": Path("/elsewhere"), "name": "other"}),
    ):
        assert names(same) == plain
    # At its own size a picture does not depend on the training crop.
    native = change(config, "generate", scale="native")
    assert names(change(native, "train", width=32)) == names(native)


def test_a_photograph_that_is_added_renames_only_the_samples_that_it_is_pasted_into(
    config: RunConfig, palette: Palette
) -> None:
    config = change(change(config, "train", background="photo"), "generate", variants=2)
    labels = [label(f"label-{number}") for number in range(20)]
    photos = [hashlib.sha256(name.encode()).hexdigest() for name in "pqrs"]

    def want(*photos: str) -> list[SampleRecord]:
        return wanted_samples(config, palette, labels, SNAPSHOT, background_sha256s=photos)

    before, after = want(*photos[:3]), want(*photos)
    assert {sample.background_sha256 for sample in after} == set(photos)
    for old, new in zip(before, after, strict=True):
        assert (old == new) == (new.background_sha256 != photos[3])
        assert (old.sample_id == new.sample_id) == (old == new)
    assert want(*reversed(photos)) == after
    plain = wanted_samples(
        change(config, "train", background="generate"),
        palette,
        labels,
        SNAPSHOT,
        background_sha256s=photos,
    )
    assert {sample.background_sha256 for sample in plain} == {None}


def test_variants_of_a_label_share_its_shard_and_split(wanted: Callable) -> None:
    to_do, _ = plan_shards(wanted(10, variants=3), NOTHING, [], shard_labels=4)
    assert [len(shard.samples) for shard in to_do] == [12, 12, 6]
    places: dict[str, set] = {}
    for shard in to_do:
        for sample in shard.samples:
            places.setdefault(sample.source_sha256, set()).add((shard.number, sample.split))
    assert all(len(found) == 1 for found in places.values())


def test_labels_of_a_test_folder_stay_in_the_test_split(config: RunConfig, palette: Palette) -> None:
    labels = [label(str(number), "test") for number in range(20)]
    assert {sample.split for sample in wanted_samples(config, palette, labels, SNAPSHOT)} == {"test"}


def test_an_interrupted_run_plans_the_same_shards(wanted: Callable, done: Callable) -> None:
    whole, _ = plan_shards(wanted(10), NOTHING, [], shard_labels=3)
    assert [shard.number for shard in whole] == [0, 1, 2, 3]
    for numbers in ([], [0], [0, 1], [2], [3, 1], [0, 1, 2, 3]):
        staged = [done(whole[number]) for number in numbers]
        to_do, kept = plan_shards(wanted(10), NOTHING, staged, shard_labels=3)
        assert to_do == [shard for shard in whole if shard.number not in numbers]
        assert kept == staged


def test_new_labels_in_between_keep_what_is_done(wanted: Callable, done: Callable) -> None:
    whole, _ = plan_shards(wanted(10), NOTHING, [], shard_labels=3)
    staged = [done(whole[1]), done(whole[0])]
    to_do, kept = plan_shards(wanted(14), NOTHING, staged, shard_labels=3)
    assert kept == staged
    assert sorted(ids_of(to_do) + ids_of(kept)) == sorted(ids(wanted(14)))
    numbers = [shard.number for shard in (*to_do, *kept)]
    assert len(set(numbers)) == len(numbers)


def test_another_shard_size_in_between_keeps_what_is_done(wanted: Callable, done: Callable) -> None:
    whole, _ = plan_shards(wanted(10), NOTHING, [], shard_labels=3)
    staged = [done(whole[2])]
    to_do, kept = plan_shards(wanted(10), NOTHING, staged, shard_labels=2)
    assert kept == staged
    assert sorted(ids_of(to_do) + ids_of(kept)) == sorted(ids(wanted(10)))


def test_a_staged_shard_is_kept_only_while_all_of_it_is_wanted(wanted: Callable, done: Callable) -> None:
    whole, _ = plan_shards(wanted(10), NOTHING, [], shard_labels=3)
    staged = [done(shard) for shard in whole]
    fewer = [sample for sample in wanted(10) if sample.sample_id != whole[0].samples[0].sample_id]
    to_do, kept = plan_shards(fewer, NOTHING, staged, shard_labels=3)
    assert kept == staged[1:]
    assert ids_of(to_do) == ids(whole[0].samples[1:])
    retrained = wanted(10, snapshot=SNAPSHOT._replace(sha256="6" * 64))
    to_do, kept = plan_shards(retrained, NOTHING, staged, shard_labels=3)
    assert kept == [] and ids_of(to_do) == ids(retrained)


def test_what_is_published_is_not_planned_and_its_folders_are_not_reused(
    wanted: Callable, done: Callable
) -> None:
    staged = [done(shard) for shard in plan_shards(wanted(6), NOTHING, [], shard_labels=3)[0]]
    published = pa.concat_tables([shard.read() for shard in staged])
    assert plan_shards(wanted(6), published, [], shard_labels=3) == ([], [])
    to_do, _ = plan_shards(wanted(10), published, [], shard_labels=3)
    assert [shard.number for shard in to_do] == [2, 3]
    assert sorted(ids_of(to_do) + ids_of(staged)) == sorted(ids(wanted(10)))
    to_do, _ = plan_shards(wanted(6, variants=2), published, [], shard_labels=3)
    assert {sample.variant for shard in to_do for sample in shard.samples} == {1}
    # Killed between the commit and the tidying up: the staged shards are done with.
    assert plan_shards(wanted(6), published, staged, shard_labels=3) == ([], [])


def test_a_label_keeps_the_split_that_it_was_published_in(config: RunConfig, palette: Palette) -> None:
    labels = [label(name) for name in "abcdefgh"]
    published = {labels[0].source_sha256: "val", labels[1].source_sha256: "test"}
    changed = config.model_copy(update={"publish": config.publish.model_copy(update={"val_fraction": 0.9})})
    splits = {
        sample.source_sha256: sample.split
        for sample in wanted_samples(changed, palette, labels, SNAPSHOT, published)
    }
    assert all(splits[source] == split for source, split in published.items())
