"""What to generate: names by lineage, and plans that survive interruptions and new labels."""

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from manifests.commit import commit
from manifests.durable import make_folders
from manifests.schema import SampleRecord, to_table
from pipeline.config import RunConfig
from pipeline.palette import Palette
from pipeline.shards import (
    Shard,
    SnapshotRef,
    plan_shards,
    read_staged,
    remove_leftovers,
    stage,
    staged_path,
    wanted_samples,
)

SNAPSHOT = SnapshotRef(Path("run/snapshots/snapshot-00000008.safetensors"), "5" * 64)


def label(name: str, part: str = "train") -> SampleRecord:
    digest = hashlib.sha256(name.encode()).hexdigest()
    return SampleRecord(
        source_set="s", source_label=f"segTrain/{name}.png", source_sha256=digest, source_part=part
    )


def finished(shard: Shard) -> Shard:
    """The shard as if it had been drawn."""
    rows = []
    for sample in shard.samples:
        hashes = {kind: hashlib.sha256(f"{kind} {sample.sample_id}".encode()).hexdigest() for kind in "il"}
        rows.append(
            replace(
                sample,
                image_file_name=f"images/{shard.folder}/{sample.sample_id}.png",
                label_file_name=f"labels/{shard.folder}/{sample.sample_id}.png",
                width=8,
                height=6,
                image_bytes=10,
                label_bytes=5,
                image_sha256=hashes["i"],
                label_sha256=hashes["l"],
                class_pixel_counts=(8,) * 6,
                mask_coverage=0.5,
                accepted=True,
                seg2real_version="0",
                torch_version="2",
            )
        )
    return Shard(shard.number, tuple(rows))


@pytest.fixture
def config(tmp_path: Path, tiny_config: Callable) -> RunConfig:
    return tiny_config(tmp_path)


@pytest.fixture
def palette(config: RunConfig) -> Palette:
    return config.read_palette()


@pytest.fixture
def wanted(config: RunConfig, palette: Palette) -> Callable[..., list[SampleRecord]]:
    def want(num: int, *, variants: int = 1, snapshot: SnapshotRef = SNAPSHOT) -> list[SampleRecord]:
        generate = config.generate.model_copy(update={"variants": variants})
        labels = [label(f"label-{number}") for number in range(num)]
        return wanted_samples(config.model_copy(update={"generate": generate}), palette, labels, snapshot)

    return want


def ids(samples: Sequence[SampleRecord]) -> list[str]:
    return [sample.sample_id for sample in samples]


def ids_of(shards: Sequence[Shard]) -> list[str]:
    return [sample.sample_id for shard in shards for sample in shard.samples]


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
    to_do, _ = plan_shards(wanted(10, variants=3), [], [], shard_labels=4)
    assert [len(shard.samples) for shard in to_do] == [12, 12, 6]
    places: dict[str, set] = {}
    for shard in to_do:
        for sample in shard.samples:
            places.setdefault(sample.source_sha256, set()).add((shard.number, sample.split))
    assert all(len(found) == 1 for found in places.values())


def test_labels_of_a_test_folder_stay_in_the_test_split(config: RunConfig, palette: Palette) -> None:
    labels = [label(str(number), "test") for number in range(20)]
    assert {sample.split for sample in wanted_samples(config, palette, labels, SNAPSHOT)} == {"test"}


def test_an_interrupted_run_plans_the_same_shards(wanted: Callable) -> None:
    whole, _ = plan_shards(wanted(10), [], [], shard_labels=3)
    assert [shard.number for shard in whole] == [0, 1, 2, 3]
    for done in ([], [0], [0, 1], [2], [3, 1], [0, 1, 2, 3]):
        staged = [finished(whole[number]) for number in done]
        to_do, kept = plan_shards(wanted(10), [], staged, shard_labels=3)
        assert to_do == [shard for shard in whole if shard.number not in done]
        assert kept == staged


def test_new_labels_in_between_keep_what_is_done(wanted: Callable) -> None:
    whole, _ = plan_shards(wanted(10), [], [], shard_labels=3)
    staged = [finished(whole[1]), finished(whole[0])]
    to_do, kept = plan_shards(wanted(14), [], staged, shard_labels=3)
    assert kept == staged
    assert sorted(ids_of(to_do) + ids_of(kept)) == sorted(ids(wanted(14)))
    numbers = [shard.number for shard in (*to_do, *kept)]
    assert len(set(numbers)) == len(numbers)


def test_another_shard_size_in_between_keeps_what_is_done(wanted: Callable) -> None:
    whole, _ = plan_shards(wanted(10), [], [], shard_labels=3)
    to_do, kept = plan_shards(wanted(10), [], [finished(whole[2])], shard_labels=2)
    assert kept == [finished(whole[2])]
    assert sorted(ids_of(to_do) + ids_of(kept)) == sorted(ids(wanted(10)))


def test_a_staged_shard_is_kept_only_while_all_of_it_is_wanted(wanted: Callable) -> None:
    whole, _ = plan_shards(wanted(10), [], [], shard_labels=3)
    staged = [finished(shard) for shard in whole]
    fewer = [sample for sample in wanted(10) if sample.sample_id != whole[0].samples[0].sample_id]
    to_do, kept = plan_shards(fewer, [], staged, shard_labels=3)
    assert kept == staged[1:]
    assert ids_of(to_do) == ids(whole[0].samples[1:])
    retrained = wanted(10, snapshot=SNAPSHOT._replace(sha256="6" * 64))
    to_do, kept = plan_shards(retrained, [], staged, shard_labels=3)
    assert kept == [] and ids_of(to_do) == ids(retrained)


def test_what_is_published_is_not_planned_and_its_folders_are_not_reused(wanted: Callable) -> None:
    published = [
        s for shard in plan_shards(wanted(6), [], [], shard_labels=3)[0] for s in finished(shard).samples
    ]
    assert plan_shards(wanted(6), published, [], shard_labels=3) == ([], [])
    to_do, _ = plan_shards(wanted(10), published, [], shard_labels=3)
    assert [shard.number for shard in to_do] == [2, 3]
    assert sorted(ids_of(to_do) + ids(published)) == sorted(ids(wanted(10)))
    to_do, _ = plan_shards(wanted(6, variants=2), published, [], shard_labels=3)
    assert {sample.variant for shard in to_do for sample in shard.samples} == {1}
    # Killed between the commit and the tidying up: the staged shards are done with.
    staged = [finished(shard) for shard in plan_shards(wanted(6), [], [], shard_labels=3)[0]]
    assert plan_shards(wanted(6), published, staged, shard_labels=3) == ([], [])


def test_a_staged_shard_comes_back_as_it_was(wanted: Callable, config: RunConfig, palette: Palette) -> None:
    assert read_staged(config.output) == []
    shards = [finished(shard) for shard in plan_shards(wanted(7, variants=2), [], [], shard_labels=3)[0]]
    for shard in reversed(shards):
        stage(config.output, shard, palette)
        assert staged_path(config.output, shard).exists()
    assert read_staged(config.output) == shards
    assert len({shard.name for shard in shards}) == 3


def touch(output: Path, *names: str) -> None:
    for name in names:
        make_folders((output / name).parent)
        (output / name).touch()


def test_leftovers_are_what_neither_a_version_nor_a_staged_shard_names(
    wanted: Callable, config: RunConfig, palette: Palette
) -> None:
    output = config.output
    shards = [finished(shard) for shard in plan_shards(wanted(9), [], [], shard_labels=3)[0]]
    for shard in shards:
        for sample in shard.samples:
            touch(output, sample.image_file_name, sample.label_file_name)
    commit(output, to_table(shards[0].samples, palette=palette.model_dump(mode="json")))
    for shard in shards[1:]:
        stage(output, shard, palette)
    mine = {"images/0001/notes.txt", "images/mine/a-0123456789.png", "images/0000/b-0123456789.png"}
    left = {
        "images/0001/c-0123456789.png",
        "labels/0002/.0123456789abcdef.tmp",
        "images/0007/d-0123456789.jpg",
        "report/.0123456789abcdef.tmp",
        "_staging/.0123456789abcdef.tmp",
    }
    touch(output, *mine, *left)

    remove_leftovers(output, shards[0].samples, [shards[1]])
    assert read_staged(output) == [shards[1]]
    there = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    named = {
        name for s in shards[0].samples + shards[1].samples for name in (s.image_file_name, s.label_file_name)
    }
    assert not there & left
    assert {name for name in there if name.startswith(("images", "labels"))} == named | mine


def test_pictures_of_an_older_version_are_no_leftovers(
    wanted: Callable, config: RunConfig, palette: Palette
) -> None:
    """Even where the newest version has so few rows that their folders would be used again."""
    (shard,) = (finished(shard) for shard in plan_shards(wanted(3), [], [], shard_labels=3)[0])
    names = [shard.samples[0].image_file_name, shard.samples[0].label_file_name]
    touch(config.output, *names)
    commit(config.output, to_table(shard.samples, palette=palette.model_dump(mode="json")))
    commit(config.output, remove=ids(shard.samples))
    remove_leftovers(config.output, [], [])
    assert all((config.output / name).exists() for name in names)


def test_a_label_keeps_the_split_that_it_was_published_in(config: RunConfig, palette: Palette) -> None:
    labels = [label(name) for name in "abcdefgh"]
    published = {labels[0].source_sha256: "val", labels[1].source_sha256: "test"}
    changed = config.model_copy(update={"publish": config.publish.model_copy(update={"val_fraction": 0.9})})
    splits = {
        sample.source_sha256: sample.split
        for sample in wanted_samples(changed, palette, labels, SNAPSHOT, published)
    }
    assert all(splits[source] == split for source, split in published.items())
