"""Committing and opening: a dataset grows version by version, and refuses what does not belong to it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import manifests.commit as committing
from manifests import writer
from manifests.commit import commit, roll_back
from manifests.manifest import Manifest
from manifests.merge import ConflictError
from manifests.reader import read_records, read_schema
from manifests.schema import SCHEMA, SchemaError, to_table, version_number
from manifests.table_file import ManifestError
from manifests.versions import read_version, version_numbers
from manifests.writer import table_bytes


def test_a_dataset_grows_version_by_version(tmp_path: Path, rows: Callable, make_record: Callable) -> None:
    assert Manifest.open(tmp_path).version == 0 and Manifest.open(tmp_path).records == []
    assert commit(tmp_path, rows("b", "a"), message="first", config_sha256="c", snapshot_sha256="s") == 1
    assert commit(tmp_path, rows("c")) == 2
    assert commit(tmp_path, remove=[make_record("a").sample_id]) == 3
    assert read_records(tmp_path) == [make_record("b"), make_record("c")]

    manifest = Manifest.open(tmp_path)
    assert manifest.version == version_number(manifest.table.schema) == 3
    assert manifest.records == read_records(tmp_path)
    assert Manifest.open(tmp_path, version=1).records == [make_record("a"), make_record("b")]

    history = [read_version(tmp_path, number) for number in version_numbers(tmp_path)]
    assert [(v.version, v.parent, v.rows, v.added, v.removed) for v in history] == [
        (1, 0, 2, 2, 0),
        (2, 1, 3, 1, 0),
        (3, 2, 2, 0, 1),
    ]
    assert (history[0].message, history[0].config_sha256, history[0].snapshot_sha256) == ("first", "c", "s")
    assert history[0].created.tzinfo is not None


def test_a_commit_that_changes_nothing_publishes_nothing(tmp_path: Path, rows: Callable) -> None:
    assert commit(tmp_path, rows()) == 0
    assert commit(tmp_path, rows("a", "b")) == 1
    before = sorted(tmp_path.rglob("*")), (tmp_path / "metadata.parquet").stat().st_mtime_ns
    assert commit(tmp_path, rows("b")) == 1
    assert commit(tmp_path, rows("a", "a"), remove=["no such row"], expected_parent=0) == 1
    assert commit(tmp_path) == 1
    assert (sorted(tmp_path.rglob("*")), (tmp_path / "metadata.parquet").stat().st_mtime_ns) == before


def test_a_dataset_of_an_earlier_release_can_be_read_and_added_to(
    tmp_path: Path, rows: Callable, make_record: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(
            committing,
            "write_rows",
            lambda parts, schema: table_bytes(
                pa.concat_tables(parts).cast(schema).drop_columns(["render_sha256", "background_sha256"])
            ),
        )
        commit(tmp_path, rows("a", "b"))
    assert "background_sha256" not in read_schema(tmp_path).names
    assert read_records(tmp_path) == [make_record("a"), make_record("b")]
    assert commit(tmp_path, rows("b")) == 1
    assert commit(tmp_path, rows("c", background_sha256="9" * 64), remove=[make_record("a").sample_id]) == 2
    assert Manifest.open(tmp_path, version=1).records == [make_record("a"), make_record("b")]
    assert read_records(tmp_path) == [make_record("b"), make_record("c", background_sha256="9" * 64)]


def test_the_same_rows_give_the_same_table_in_any_order(tmp_path: Path, rows: Callable) -> None:
    for root, order in ((tmp_path / "x", "abcd"), (tmp_path / "y", "dbca")):
        for name in order:
            commit(root, rows(name))
    assert (tmp_path / "x/metadata.parquet").read_bytes() == (tmp_path / "y/metadata.parquet").read_bytes()


def test_one_id_is_one_row(tmp_path: Path, rows: Callable, make_record: Callable) -> None:
    commit(tmp_path, rows("a", "b"))
    with pytest.raises(ConflictError, match=f"'{make_record('b').sample_id}' exists with seed 0, .* with 7"):
        commit(tmp_path, to_table([replace(make_record("b"), seed=7)], palette=_palette(tmp_path)))
    with pytest.raises(ConflictError, match="exists with width"):
        changed = [make_record("c"), make_record("c", width=9)]
        commit(tmp_path, to_table(changed, palette=_palette(tmp_path)))
    assert version_numbers(tmp_path) == [1]


def test_a_row_is_replaced_by_removing_it_in_the_same_commit(
    tmp_path: Path, rows: Callable, make_record: Callable
) -> None:
    commit(tmp_path, rows("a", "b"))
    changed = make_record("b", accepted=False, reject_reason="blurred")
    commit(tmp_path, to_table([changed], palette=_palette(tmp_path)), remove=[changed.sample_id])
    assert read_records(tmp_path) == [make_record("a"), changed]


def _palette(root: Path) -> dict:
    return json.loads(read_schema(root).metadata[b"seg2real.palette"])


def test_rows_of_another_palette_or_form_are_refused(tmp_path: Path, rows: Callable, palette: dict) -> None:
    commit(tmp_path, rows("a"))
    other = palette | {"name": "other", "classes": palette["classes"][::-1]}
    with pytest.raises(ConflictError, match="palette 'other', which differs from the palette 'pitch'"):
        commit(tmp_path, rows("b").replace_schema_metadata(to_table([], palette=other).schema.metadata))
    with pytest.raises(SchemaError, match="columns that a manifest does not know: score"):
        commit(tmp_path, rows("b").append_column("score", [[0.5]]))
    nulls = (
        rows("b")
        .set_column(SCHEMA.get_field_index("seed"), "seed", [[None]])
        .cast(SCHEMA.set(SCHEMA.get_field_index("seed"), SCHEMA.field("seed").with_nullable(True)))
        .replace_schema_metadata(rows("b").schema.metadata)
    )
    with pytest.raises(SchemaError, match="no value in seed"):
        commit(tmp_path, nulls)
    assert version_numbers(tmp_path) == [1]


def test_a_palette_may_be_renamed(tmp_path: Path, rows: Callable, palette: dict) -> None:
    commit(tmp_path, rows("a"))
    renamed = to_table([], palette=palette | {"name": "renamed"}).schema.metadata
    assert commit(tmp_path, rows("c").replace_schema_metadata(renamed)) == 2


def test_an_unexpected_parent_is_refused(tmp_path: Path, rows: Callable) -> None:
    commit(tmp_path, rows("a"), expected_parent=0)
    with pytest.raises(ConflictError, match="is at version 1, not 0; look again"):
        commit(tmp_path, rows("b"), expected_parent=0)
    commit(tmp_path, rows("b"), expected_parent=1)


def test_a_readme_is_made_once_and_never_touched_again(tmp_path: Path, rows: Callable) -> None:
    commit(tmp_path, rows("a"))
    assert "data_files" in (tmp_path / "README.md").read_text()
    (tmp_path / "README.md").write_text("mine")
    commit(tmp_path, rows("b"))
    assert (tmp_path / "README.md").read_text() == "mine"


def test_a_table_without_version_records_is_read_but_not_built_upon(tmp_path: Path, rows: Callable) -> None:
    commit(tmp_path / "made", rows("a"))
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "metadata.parquet").write_bytes((tmp_path / "made" / "metadata.parquet").read_bytes())
    assert Manifest.open(copy).table.num_rows == 1
    with pytest.raises(ManifestError, match="does not account for"):
        commit(copy, rows("b"))


def test_damaged_versions_are_named(tmp_path: Path, rows: Callable) -> None:
    commit(tmp_path, rows("a"))
    with pytest.raises(ManifestError, match=r"has no version 7; it has \[1\]"):
        Manifest.open(tmp_path, version=7)
    part = tmp_path / "_versions" / read_version(tmp_path, 1).table
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(ManifestError, match="damaged"):
        Manifest.open(tmp_path)
    part.unlink()
    with pytest.raises(ManifestError, match="is missing"):
        Manifest.open(tmp_path)
    (tmp_path / "_versions" / "00000001.json").write_bytes(b"")
    with pytest.raises(ManifestError, match="00000001.json is damaged"):
        Manifest.open(tmp_path)


def test_rolling_back_is_a_new_version_with_the_old_rows(
    tmp_path: Path, rows: Callable, make_record: Callable
) -> None:
    commit(tmp_path, rows("a", "b"))
    first = read_records(tmp_path)
    changed = make_record("b", accepted=False, reject_reason="blurred")
    commit(
        tmp_path,
        to_table([changed, make_record("c")], palette=_palette(tmp_path)),
        remove=[changed.sample_id, make_record("a").sample_id],
    )
    assert roll_back(tmp_path, 1) == 3
    assert read_records(tmp_path) == first
    record = read_version(tmp_path, 3)
    assert (record.added, record.removed, record.rows, record.parent) == (2, 2, 2, 2)
    assert record.message == "roll back to version 1"
    assert roll_back(tmp_path, 1, message="again") == 3 and roll_back(tmp_path, 3) == 3
    assert roll_back(tmp_path, 2, message="not that") == 4
    assert read_records(tmp_path) == [changed, make_record("c")]
    with pytest.raises(ManifestError, match="has no version 9"):
        roll_back(tmp_path, 9)


def test_row_groups_do_not_show_how_rows_came(
    tmp_path: Path, rows: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "ROWS_PER_GROUP", 3)
    names = [f"{number:02d}" for number in range(10)]
    commit(tmp_path / "x", rows(*names))
    for some in (names[4:8], names[:2], names[8:], [names[3]], [names[2]]):
        commit(tmp_path / "y", rows(*some))
    table = (tmp_path / "x/metadata.parquet").read_bytes()
    gone = Manifest.open(tmp_path / "y").records[5].sample_id
    commit(tmp_path / "y", remove=[gone])
    commit(tmp_path / "y", rows(names[5]))
    assert Manifest.open(tmp_path / "y").records == Manifest.open(tmp_path / "x").records
    for number in range(6):
        commit(tmp_path / "x", rows(f"z{number}"))
        commit(tmp_path / "x", remove=[Manifest.open(tmp_path / "x").records[-1].sample_id])
    assert Manifest.open(tmp_path / "x").records == Manifest.open(tmp_path / "y").records
    with pq.ParquetFile(tmp_path / "y/metadata.parquet") as file:
        assert [file.metadata.row_group(index).num_rows for index in range(4)] == [3, 3, 3, 1]
    assert table != (tmp_path / "x/metadata.parquet").read_bytes()  # it says another version
