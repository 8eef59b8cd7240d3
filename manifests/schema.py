"""What a sample is: one record, its Arrow schema, its name."""

import hashlib
import json
import re
import struct
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import pyarrow as pa

__all__ = [
    "SCHEMA",
    "SPLITS",
    "SampleRecord",
    "SchemaError",
    "check_schema",
    "class_names",
    "from_table",
    "lineage_key",
    "palette_of",
    "same_classes",
    "sample_id",
    "to_table",
    "version_number",
    "with_later_columns",
    "with_version_number",
]

SPLITS = ("train", "val", "test")

_VERSION_KEY = b"seg2real.version_number"
_PALETTE_KEY = b"seg2real.palette"
_NAMES_KEY = b"seg2real.class_names"
_COLORS_KEY = b"seg2real.class_colors"

_KEY_HEX_DIGITS = 10
_MAX_STEM_BYTES = 200
_UNFIT_FOR_FILE_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\[\]]')


class SchemaError(ValueError):
    """A table or record that does not have the form of this dataset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRecord:
    """One generated image and the label behind it: one row of the manifest.

    It is born with the source fields and grows by `dataclasses.replace`; a field that is not known yet is
    None. It holds no time stamp, so that the same run gives the same rows.
    """

    sample_id: str | None = None
    """`<stem of the source label>-<lineage key>`; unique in a dataset."""
    image_file_name: str | None = None
    """Generated image, relative to the dataset's root, with "/" between folders."""
    label_file_name: str | None = None
    """Palette PNG with the class ids, equal in height and width to the image; relative to the root."""
    width: int | None = None
    height: int | None = None
    image_bytes: int | None = None
    label_bytes: int | None = None
    image_sha256: str | None = None
    label_sha256: str | None = None
    source_set: str
    """Name of the segmentation set that the label came from."""
    source_label: str
    """The source label as it was found, relative to its set's root."""
    source_sha256: str
    """sha256 of the source label's file."""
    render_sha256: str | None = None
    """sha256 of the rendered picture that was translated; None = the label itself was."""
    background_sha256: str | None = None
    """sha256 of the photograph whose background was pasted; None = none was."""
    source_part: str
    """Folder that the source label came from: "train", "test", or "unsplit"."""
    split: str | None = None
    """ "train", "val" or "test"; see `manifests.splits`."""
    class_pixel_counts: tuple[int, ...] | None = None
    """Pixels of each class in the label, in palette order."""
    mask_coverage: float | None = None
    """Share of the image that the attention mask translates, 0 to 1; rounded to float32."""
    seed: int | None = None
    variant: int | None = None
    """Which of several images of one label this is, from 0."""
    method: str | None = None
    snapshot_name: str | None = None
    snapshot_sha256: str | None = None
    config_sha256: str | None = None
    """Fingerprint of the settings that the image was generated with."""
    camera: str | None = None
    """Camera metadata of the source as JSON text, passed through; None = it had none."""
    accepted: bool | None = None
    """Whether the sample passed the quality gates."""
    reject_reason: str | None = None
    """Why it did not; None when accepted."""
    seg2real_version: str | None = None
    torch_version: str | None = None

    def __post_init__(self) -> None:
        # The record equals its row, which holds a float32.
        if self.mask_coverage is not None:
            rounded = struct.unpack("f", struct.pack("f", self.mask_coverage))[0]
            object.__setattr__(self, "mask_coverage", rounded)


_LATER = {"render_sha256", "background_sha256"}
"""Columns that tables of earlier releases lack; read as if they were empty there."""
_NULLABLE = {"camera", "reject_reason", *_LATER}
_ARROW_TYPES = {
    "width": pa.int32(),
    "height": pa.int32(),
    "image_bytes": pa.int64(),
    "label_bytes": pa.int64(),
    "class_pixel_counts": pa.list_(pa.int64()),
    "mask_coverage": pa.float32(),
    "seed": pa.int64(),
    "variant": pa.int32(),
    "accepted": pa.bool_(),
}

SCHEMA = pa.schema(
    [
        pa.field(field.name, _ARROW_TYPES.get(field.name, pa.string()), nullable=field.name in _NULLABLE)
        for field in fields(SampleRecord)
    ]
)
"""Columns of a manifest, in the order of `SampleRecord`. Hugging Face's loader turns the `*_file_name`
columns into `image` and `label`."""


def lineage_key(
    *,
    source_sha256: str,
    seed: int,
    variant: int,
    snapshot_sha256: str,
    settings_sha256: str,
    render_sha256: str | None = None,
    background_sha256: str | None = None,
) -> str:
    """Ten hex digits that name everything an image depends on; equal lineage means equal bytes."""
    lineage: list[Any] = [source_sha256, seed, variant, snapshot_sha256, settings_sha256]
    pictures = {"render": render_sha256, "background": background_sha256}
    used = {kind: sha256 for kind, sha256 in pictures.items() if sha256 is not None}
    if used:  # without, the key is what it was before pictures were part of it
        lineage.append(used)
    return hashlib.sha256(json.dumps(lineage).encode()).hexdigest()[:_KEY_HEX_DIGITS]


def sample_id(stem: str, key: str) -> str:
    """`<stem>-<key>`, fit for a file name on any system: NFC, no reserved characters, at most 211 bytes."""
    text = _UNFIT_FOR_FILE_NAMES.sub("_", unicodedata.normalize("NFC", stem))
    if text.startswith((".", "_")):
        text = "x" + text
    shortened = text.encode("utf-8", "replace")[:_MAX_STEM_BYTES].decode("utf-8", "ignore")
    return f"{shortened}-{key}"


def to_table(records: Iterable[SampleRecord], *, palette: Mapping[str, Any]) -> pa.Table:
    """Rows of a manifest from finished records.

    Args:
        records: finished records; only `camera`, `reject_reason`, `render_sha256` and `background_sha256` may
            be None.
        palette: the label palette as plain JSON values: {"name", "classes": [{"name", "color", ...}, ...]};
            the position of a class is its id.

    Raises:
        SchemaError: a record lacks a field, or the palette has no such form.
    """
    finished = list(records)
    columns = {name: [getattr(record, name) for record in finished] for name in SCHEMA.names}
    _require_finished(finished, columns)
    try:
        return pa.Table.from_pydict(columns, schema=SCHEMA.with_metadata(_palette_metadata(palette)))
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise SchemaError(f"A record does not fit the manifest's columns: {error}.") from error


def from_table(table: pa.Table) -> list[SampleRecord]:
    """The records of a manifest's rows; the opposite of `to_table`."""
    check_schema(table.schema)
    columns = [_values(with_later_columns(table).column(name)) for name in SCHEMA.names]
    return [SampleRecord(**dict(zip(SCHEMA.names, row, strict=True))) for row in zip(*columns, strict=True)]


def check_schema(schema: pa.Schema) -> None:
    """Refuse a schema that lacks a column or holds one of another type; columns of its own are allowed, and
    those that earlier releases had not may be missing.

    Raises:
        SchemaError: names the columns.
    """
    faults = []
    for field in SCHEMA:
        if field.name not in schema.names:
            if field.name not in _LATER:
                faults.append(f"{field.name} is missing")
        elif schema.field(field.name).type != field.type:
            faults.append(f"{field.name} is {schema.field(field.name).type}, not {field.type}")
    if faults:
        raise SchemaError(f"The table is no seg2real manifest: {'; '.join(faults)}.")


def with_later_columns(table: pa.Table) -> pa.Table:
    """The same rows, with an empty column for each that a table of an earlier release lacks."""
    for index, field in enumerate(SCHEMA):
        if field.name in _LATER and field.name not in table.schema.names:
            table = table.add_column(index, field, pa.nulls(table.num_rows, field.type))
    return table


def palette_of(schema: pa.Schema) -> dict[str, Any]:
    """The palette that a manifest was published with, as plain JSON values; {} when it carries none."""
    return json.loads((schema.metadata or {}).get(_PALETTE_KEY, b"{}"))


def same_classes(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two palettes give the same ids the same names and colours; what else they say may differ."""
    first, second = (
        [(entry["name"], *entry["color"]) for entry in palette.get("classes", ())] for palette in (one, other)
    )
    return first == second


def class_names(schema: pa.Schema) -> tuple[str, ...]:
    """Class names in palette order; () when the manifest carries none."""
    return tuple(json.loads((schema.metadata or {}).get(_NAMES_KEY, b"[]")))


def version_number(schema: pa.Schema) -> int:
    """The version that a table was committed as; 0 = it never was."""
    return int((schema.metadata or {}).get(_VERSION_KEY, b"0"))


def with_version_number(schema: pa.Schema, version: int) -> pa.Schema:
    """The same columns, marked as those of a version."""
    return schema.with_metadata({**(schema.metadata or {}), _VERSION_KEY: str(version).encode()})


def _require_finished(records: Sequence[SampleRecord], columns: Mapping[str, Sequence[Any]]) -> None:
    missing = [name for name, values in columns.items() if name not in _NULLABLE and None in values]
    if missing:
        first = next(record for record in records if any(getattr(record, name) is None for name in missing))
        lacks = ", ".join(name for name in missing if getattr(first, name) is None)
        raise SchemaError(
            f"Sample '{first.sample_id or first.source_label}' has no {lacks}; "
            "a record can be published when its stages have filled these in."
        )


def _values(column: pa.ChunkedArray) -> list[Any]:
    """A record's values of a column; equal strings are one object, as most columns have few that differ."""
    if pa.types.is_list(column.type):
        return [tuple(value) for value in column.to_pylist()]
    if not pa.types.is_string(column.type):
        return column.to_pylist()
    shared: dict[str | None, str | None] = {}
    return [shared.setdefault(value, value) for value in column.to_pylist()]


def _palette_metadata(palette: Mapping[str, Any]) -> dict[bytes, bytes]:
    try:
        names = [str(entry["name"]) for entry in palette["classes"]]
        colors = [[int(channel) for channel in entry["color"]] for entry in palette["classes"]]
    except (KeyError, TypeError, ValueError) as error:
        raise SchemaError(
            f"A palette needs 'classes' with a 'name' and a 'color' each, and this one is off at {error!r}."
        ) from error
    values = {_PALETTE_KEY: dict(palette), _NAMES_KEY: names, _COLORS_KEY: colors}
    return {key: json.dumps(value, sort_keys=True).encode() for key, value in values.items()}
