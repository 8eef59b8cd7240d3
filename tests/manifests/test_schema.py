"""Records, rows and names."""

import json
from dataclasses import fields, replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.schema import (
    SCHEMA,
    SampleRecord,
    SchemaError,
    check_schema,
    class_names,
    from_table,
    lineage_key,
    palette_of,
    sample_id,
    to_table,
    version_number,
    with_later_columns,
    with_version_number,
)

PALETTE = {
    "name": "pitch",
    "classes": [
        {"name": "environment", "color": [0, 0, 0], "background": True, "ignore": False},
        {"name": "field", "color": [0, 255, 0], "background": False, "ignore": False},
    ],
}
BORN = SampleRecord(source_set="s", source_label="a/b.png", source_sha256="0" * 64, source_part="train")

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
records = st.builds(
    SampleRecord,
    **{field.name: text for field in fields(SampleRecord)}
    | {name: st.integers(0, 2**31 - 1) for name in ("width", "height", "variant")}
    | {name: st.integers(0, 2**63 - 1) for name in ("image_bytes", "label_bytes", "seed")}
    | {
        "class_pixel_counts": st.lists(st.integers(0, 2**40), max_size=4).map(tuple),
        "mask_coverage": st.floats(0, 1),
        "accepted": st.booleans(),
        "camera": st.none() | text,
        "reject_reason": st.none() | text,
        "render_sha256": st.none() | text,
        "background_sha256": st.none() | text,
    },
)


@settings(deadline=None)
@given(st.lists(records, max_size=4))
def test_records_survive_the_round_trip(rows: list[SampleRecord]) -> None:
    assert from_table(to_table(rows, palette=PALETTE)) == rows


def test_the_table_carries_the_palette() -> None:
    schema = to_table([], palette=PALETTE).schema
    assert palette_of(schema) == PALETTE
    assert class_names(schema) == ("environment", "field")
    assert json.loads(schema.metadata[b"seg2real.class_colors"]) == [[0, 0, 0], [0, 255, 0]]
    assert palette_of(SCHEMA) == {} and class_names(SCHEMA) == ()


def test_an_unfinished_record_is_refused_by_field() -> None:
    with pytest.raises(SchemaError, match="Sample 'a/b.png' has no sample_id, .*width.*torch_version"):
        to_table([BORN], palette=PALETTE)


def test_a_value_that_does_not_fit_is_refused() -> None:
    finished = {field.name: "x" for field in fields(SampleRecord)} | {
        name: 1 for name in ("width", "height", "image_bytes", "label_bytes", "seed", "variant")
    }
    record = SampleRecord(**finished | {"class_pixel_counts": (1,), "mask_coverage": 0.5, "accepted": True})
    assert to_table([record], palette=PALETTE).num_rows == 1
    for bad in ({"width": 2**31}, {"width": "wide"}, {"seed": 2**63}, {"split": 3}):
        with pytest.raises(SchemaError, match="does not fit"):
            to_table([replace(record, **bad)], palette=PALETTE)


@pytest.mark.parametrize("palette", [{}, {"classes": [{"name": "a"}]}, {"classes": 3}])
def test_a_palette_of_another_form_is_refused(palette: dict) -> None:
    with pytest.raises(SchemaError, match="palette"):
        to_table([], palette=palette)


def test_a_foreign_schema_is_refused_by_column() -> None:
    foreign = SCHEMA.remove(SCHEMA.get_field_index("split"))
    foreign = foreign.set(foreign.get_field_index("width"), pa.field("width", pa.string()))
    with pytest.raises(SchemaError, match="width is string, not int32; split is missing"):
        check_schema(foreign)
    check_schema(SCHEMA.append(pa.field("score", pa.float64())))


@pytest.mark.parametrize("missing", [["render_sha256", "background_sha256"], ["background_sha256"]])
@settings(deadline=None, max_examples=20)
@given(st.lists(records, max_size=3))
def test_a_table_of_an_earlier_release_is_read_as_one_without_its_later_columns(
    missing: list[str], rows: list[SampleRecord]
) -> None:
    rows = [replace(row, **dict.fromkeys(missing)) for row in rows]
    table = to_table(rows, palette=PALETTE)
    earlier = table.drop_columns(missing)
    assert from_table(earlier) == rows
    assert with_later_columns(earlier).equals(table, check_metadata=True)
    assert with_later_columns(table) is table


def test_the_version_number_travels_in_the_schema() -> None:
    table = to_table([], palette=PALETTE)
    assert version_number(table.schema) == 0
    assert version_number(with_version_number(table.schema, 12)) == 12
    assert palette_of(with_version_number(table.schema, 12)) == PALETTE


LINEAGE = {
    "source_sha256": "a" * 64,
    "seed": 1,
    "variant": 11,
    "snapshot_sha256": "b" * 64,
    "settings_sha256": "c" * 64,
}


def test_the_lineage_key_depends_on_every_part() -> None:
    changed = [LINEAGE | {name: value * 2} for name, value in LINEAGE.items()]
    keys = {lineage_key(**lineage) for lineage in [LINEAGE, *changed, LINEAGE | {"seed": 11, "variant": 1}]}
    assert len(keys) == 7
    pictures = [{"render_sha256": "d"}, {"background_sha256": "d"}]
    pictures += [{"render_sha256": "d", "background_sha256": "e"}, {"render_sha256": "de"}]
    assert len(keys | {lineage_key(**LINEAGE, **picture) for picture in pictures}) == 11
    assert all(len(key) == 10 and set(key) <= set("0123456789abcdef") for key in keys)
    assert lineage_key(**LINEAGE) == "9cf9cf5479"


@given(st.text(max_size=300))
def test_a_sample_id_is_a_safe_file_name(stem: str) -> None:
    name = sample_id(stem, "0123456789")
    assert name.endswith("-0123456789")
    assert len(f"{name}.png".encode()) <= 255
    assert not set(name) & set('/\\:*?"<>|\0\n') and not name.startswith((".", "_"))


def test_plain_stems_are_kept() -> None:
    assert sample_id("frame 0001_\u00fcber", "0123456789") == "frame 0001_\u00fcber-0123456789"
    assert sample_id("u\u0308", "k") == sample_id("\u00fc", "k")
