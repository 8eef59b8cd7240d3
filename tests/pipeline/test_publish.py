"""Publishing: nothing twice, nothing lost, old pictures make way for new ones of the same label."""

from dataclasses import replace

import pytest

from manifests.reader import read_records
from manifests.schema import SampleRecord, lineage_key, sample_id
from manifests.table_file import ManifestError
from manifests.versions import read_version, version_numbers
from pipeline.config import RunConfig
from pipeline.publish import publish
from pipeline.shards import Shard
from pipeline.staging import StagedShard, read_staged, stage_shard


def row(
    name: str,
    *,
    variant: int = 0,
    snapshot: str = "a",
    settings: str = "s",
    number: int = 0,
    background: str | None = None,
) -> SampleRecord:
    lineage = {"source_sha256": name * 64, "seed": 0, "variant": variant, "snapshot_sha256": snapshot * 64}
    lineage |= {"background_sha256": background}
    identifier = sample_id(name, lineage_key(settings_sha256=settings, **lineage))
    return SampleRecord(
        sample_id=identifier,
        image_file_name=f"images/{number:04d}/{identifier}.png",
        label_file_name=f"labels/{number:04d}/{identifier}.png",
        width=8,
        height=6,
        image_bytes=10,
        label_bytes=5,
        image_sha256="1" * 64,
        label_sha256="2" * 64,
        source_set="set",
        source_label=f"{name}.png",
        source_part="train",
        split="train",
        class_pixel_counts=(8,) * 6,
        mask_coverage=0.5,
        method="cyclegan",
        snapshot_name="snapshot-1",
        config_sha256=settings,
        accepted=True,
        seg2real_version="0",
        torch_version="2",
        **lineage,
    )


def staged(config: RunConfig, number: int, *rows: SampleRecord) -> StagedShard:
    return stage_shard(config.output, Shard(number, rows).name, rows, config.read_palette())


def test_shards_become_one_version_and_leave_staging(config: RunConfig) -> None:
    shards = [staged(config, 0, row("a"), row("b")), staged(config, 1, row("c", number=1))]
    assert publish(config, shards, snapshot_sha256="a" * 64) == 1
    assert [found.source_label for found in read_records(config.output)] == ["a.png", "b.png", "c.png"]
    assert read_staged(config.output) == []
    record = read_version(config.output, 1)
    assert (record.added, record.config_sha256, record.snapshot_sha256) == (3, "s", "a" * 64)
    assert record.message == "tiny: 3 images"


def test_nothing_new_publishes_nothing(config: RunConfig) -> None:
    assert publish(config, []) == 0
    shard = staged(config, 0, row("a"))
    publish(config, [shard])
    before = {path: path.stat().st_mtime_ns for path in config.output.rglob("*") if path.is_file()}
    assert publish(config, []) == 1
    assert publish(config, [shard]) == 1
    assert {path: path.stat().st_mtime_ns for path in config.output.rglob("*") if path.is_file()} == before


def test_an_attempt_that_was_stopped_while_it_tidied_up_is_repeated(config: RunConfig) -> None:
    shards = [staged(config, 0, row("a")), staged(config, 1, row("b", number=1))]
    kept = shards[1].path.read_bytes()
    assert publish(config, shards) == 1
    shards[1].path.write_bytes(kept)
    assert publish(config, shards) == 1
    assert read_staged(config.output) == []
    assert len(read_records(config.output)) == 2


def test_a_shard_that_is_gone_without_being_published_is_told(config: RunConfig) -> None:
    publish(config, [staged(config, 0, row("a"))])
    shards = [staged(config, 1, row("b", number=1)), staged(config, 2, row("c", number=2))]
    shards[0].path.unlink()
    with pytest.raises(ManifestError, match=r"shard-0001-\w+.parquet is gone, and its rows are not"):
        publish(config, shards)
    assert version_numbers(config.output) == [1] and shards[1].path.exists()


def test_new_labels_and_variants_join(config: RunConfig) -> None:
    publish(config, [staged(config, 0, row("a"))])
    assert publish(config, [staged(config, 1, row("b"), row("a", variant=1))]) == 2
    assert len(read_records(config.output)) == 3


@pytest.mark.parametrize("change", [{"snapshot": "b"}, {"settings": "t"}])
def test_new_pictures_of_a_label_supersede_all_of_its_old_ones(config: RunConfig, change: dict) -> None:
    old = [row("a"), row("a", variant=1), row("b")]
    publish(config, [staged(config, 0, *old)])
    new = row("a", number=1, **change)
    assert publish(config, [staged(config, 1, new)]) == 2
    # A label that is not drawn anew, because its source has gone, keeps its picture.
    assert {found.sample_id for found in read_records(config.output)} == {new.sample_id, old[2].sample_id}
    assert version_numbers(config.output) == [1, 2]


def test_a_picture_before_another_background_takes_the_place_of_the_old_one(config: RunConfig) -> None:
    old = [row("a", background="p"), row("a", variant=1, background="q"), row("b", background="p")]
    publish(config, [staged(config, 0, *old)])
    new = row("a", number=1, background="r")
    assert publish(config, [staged(config, 1, new)]) == 2
    wanted = {new.sample_id, old[1].sample_id, old[2].sample_id}
    assert {found.sample_id for found in read_records(config.output)} == wanted


def test_the_accepted_and_the_rejected_are_both_published(config: RunConfig) -> None:
    bad = replace(row("a"), accepted=False, reject_reason="constant")
    publish(config, [staged(config, 0, bad, row("b"))])
    assert [found.accepted for found in read_records(config.output)] == [False, True]


def test_a_label_that_changed_takes_its_old_pictures_along(config: RunConfig) -> None:
    old = [row("a"), row("b")]
    publish(config, [staged(config, 0, *old)], old)
    changed = replace(row("c", number=1), source_label="a.png")
    assert publish(config, [staged(config, 1, changed)], [changed, old[1]]) == 2
    ids = {found.sample_id for found in read_records(config.output)}
    assert ids == {changed.sample_id, old[1].sample_id}
    assert read_version(config.output, 2).message == "tiny: 1 images, 1 superseded"


def test_sets_that_are_only_missing_for_now_are_not_withdrawn(config: RunConfig) -> None:
    config = config.model_copy(update={"publish": config.publish.model_copy(update={"withdrawn": "remove"})})
    old = [row("a"), replace(row("b"), source_set="rain"), replace(row("c"), source_set="night")]
    publish(config, [staged(config, 0, *old)], old)
    assert publish(config, [], old[:1], missing_sets={"rain"}) == 2
    assert {found.sample_id for found in read_records(config.output)} == {old[0].sample_id, old[1].sample_id}


def test_a_label_that_was_only_renamed_keeps_its_pictures(config: RunConfig) -> None:
    # b.png has the bytes of what was a.png, and a.png has new ones.
    old, new = row("a"), replace(row("c", number=1), source_label="a.png")
    publish(config, [staged(config, 0, old)], [old])
    publish(config, [staged(config, 1, new)], [new, replace(old, source_label="b.png")])
    assert len(read_records(config.output)) == 2


def test_pictures_of_labels_that_are_gone_stay_or_leave(config: RunConfig) -> None:
    old = [row("a"), row("b")]
    publish(config, [staged(config, 0, *old)], old)
    assert publish(config, [], [old[0]]) == 1
    removing = config.model_copy(
        update={"publish": config.publish.model_copy(update={"withdrawn": "remove"})}
    )
    assert publish(removing, [], []) == 1  # sources that could not be read withdraw nothing
    assert publish(removing, [], [old[0]]) == 2
    assert [found.sample_id for found in read_records(config.output)] == [old[0].sample_id]
    assert read_version(config.output, 2).message == "tiny: 1 withdrawn"
