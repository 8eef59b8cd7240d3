"""Staged shards come back as they were, and nothing but what killed runs left is removed."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.commit import commit
from manifests.durable import make_folders
from manifests.schema import SCHEMA, SampleRecord, from_table, to_table
from pipeline.config import RunConfig
from pipeline.palette import Palette
from pipeline.shards import Shard
from pipeline.staging import (
    StagedShard,
    next_folder,
    read_staged,
    remove_leftovers,
    stage_shard,
    unstage_shard,
)


@pytest.fixture
def done(config: RunConfig, palette: Palette, finished: Callable) -> Callable[..., StagedShard]:
    """A shard of labels, by their names, that has been drawn and staged."""

    def put(number: int, *names: str) -> StagedShard:
        shard = Shard(number, tuple(map(sample, names)))
        return stage_shard(config.output, shard.name, finished(shard), palette)

    return put


def sample(name: str) -> SampleRecord:
    digest = hashlib.sha256(name.encode()).hexdigest()
    return SampleRecord(
        sample_id=f"{name}-{digest[:10]}",
        source_set="set",
        source_label=f"{name}.png",
        source_sha256=digest,
        source_part="train",
        split="train",
        seed=0,
        variant=0,
        method="cyclegan",
        snapshot_name="snapshot-1",
        snapshot_sha256="5" * 64,
        config_sha256="6" * 64,
    )


def test_staged_shards_come_back_in_their_order(
    config: RunConfig, done: Callable, finished: Callable
) -> None:
    assert read_staged(config.output) == []
    planned = [Shard(number, tuple(map(sample, names))) for number, names in ((2, "ab"), (11, "cde"))]
    shards = [done(11, *"cde"), done(2, *"ab")]
    assert read_staged(config.output) == shards[::-1]
    for shard, plan in zip(read_staged(config.output), planned, strict=True):
        assert (shard.name, shard.number, shard.num_samples) == (plan.name, plan.number, len(plan.samples))
        assert shard.records() == finished(plan)
        assert shard.read(["sample_id"]).to_pydict() == {"sample_id": [s.sample_id for s in plan.samples]}
    unstage_shard(shards[0])
    assert read_staged(config.output) == shards[1:]


@pytest.mark.parametrize("what", ["a page has changed", "the end is missing"])
def test_a_damaged_shard_is_not_done(
    config: RunConfig, done: Callable, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    damaged, whole = done(0, *"abc"), done(1, "d")
    data = bytearray(damaged.path.read_bytes())
    if what == "the end is missing":
        del data[-9:]
    else:
        column = pq.read_metadata(damaged.path).row_group(0).column(SCHEMA.names.index("image_sha256"))
        data[column.data_page_offset + column.total_compressed_size - 9] ^= 1
    damaged.path.write_bytes(data)
    assert read_staged(config.output) == [whole]
    assert f"{damaged.name}.parquet cannot be read" in caplog.text
    assert "Its images are drawn again." in caplog.text
    remove_leftovers(config.output, SCHEMA.empty_table(), [whole])
    assert not damaged.path.exists()


def test_the_next_folder_is_above_those_of_all_rows(done: Callable, palette: Palette) -> None:
    assert next_folder(SCHEMA.empty_table()) == 0
    assert next_folder(done(0, "a").read()) == 1
    rows = done(10_012, "b", "c").read()
    assert next_folder(rows) == 10_013
    moved = [replace(record, image_file_name="images/mine/a.png") for record in from_table(rows)]
    elsewhere = to_table(moved, palette=palette.model_dump(mode="json"))
    assert next_folder(pa.concat_tables([rows, elsewhere])) == 10_013
    assert next_folder(elsewhere) == 0


def touch(output: Path, *names: str) -> None:
    for name in names:
        make_folders((output / name).parent)
        (output / name).touch()


def files_of(*shards: StagedShard) -> set[str]:
    rows = [row for shard in shards for row in shard.records()]
    return {name for row in rows for name in (row.image_file_name, row.label_file_name)}


def test_leftovers_are_what_neither_a_version_nor_a_staged_shard_names(
    config: RunConfig, done: Callable
) -> None:
    output = config.output
    shards = [done(0, *"abc"), done(1, *"def"), done(2, *"ghi")]
    touch(output, *files_of(*shards))
    published = shards[0].read()
    named = files_of(*shards[:2])
    commit(output, published)
    unstage_shard(shards[0])
    mine = {"images/0001/notes.txt", "images/mine/a-0123456789.png", "images/0000/b-0123456789.png"}
    left = {
        "images/0001/c-0123456789.png",
        "labels/0002/.0123456789abcdef.tmp",
        "images/0007/d-0123456789.jpg",
        "report/.0123456789abcdef.tmp",
        "_staging/.0123456789abcdef.tmp",
    }
    touch(output, *mine, *left)

    remove_leftovers(output, published, [shards[1]])
    assert read_staged(output) == [shards[1]]
    there = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    assert not there & left
    assert {name for name in there if name.startswith(("images", "labels"))} == named | mine


def test_pictures_of_an_older_version_are_no_leftovers(config: RunConfig, done: Callable) -> None:
    """Even where the newest version has so few rows that their folders would be used again."""
    shard = done(0, *"abc")
    names, rows = files_of(shard), shard.read()
    touch(config.output, *names)
    commit(config.output, rows)
    commit(config.output, remove=rows["sample_id"].to_pylist())
    remove_leftovers(config.output, SCHEMA.empty_table(), [])
    assert all((config.output / name).exists() for name in names)
