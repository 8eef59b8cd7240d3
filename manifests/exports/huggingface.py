"""Hugging Face: Parquet shards with the images in them, which load anywhere with one line."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.about import About
from manifests.exports.classes import ExportClasses
from manifests.exports.sample import Export, Facts, Prepared, Sample, image_suffix
from manifests.schema import SCHEMA

__all__ = ["HuggingFace"]

MIN_ROWS_PER_GROUP = 16
MAX_ROWS_PER_GROUP = 32
BYTES_PER_GROUP = 1 << 20
"""A row is found without reading much else, and columns of metadata stay worth compressing."""
IMAGE = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
_LEFT_OUT = {"image_file_name", "label_file_name"}
"""Columns that name files: these are in the rows now."""
_LISTS = {"classes", "class_pixel_counts"}
_LICENCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")


class HuggingFace:
    """data/<split>-<number>-of-<count>.parquet, README.md.

    `image` and `label` are images; a label's pixels are class ids. `classes` lists those that a label has,
    and knows their names.
    """

    def __init__(self, export: Export):
        self._export = export
        self._schema = _schema(export.classes)

    def prepare(self, sample: Sample) -> dict[str, Any]:
        """The row."""
        record, label = self._export.labelled(sample)
        name = record.sample_id
        return {
            "image": {"bytes": self._export.read_image(sample), "path": f"{name}{image_suffix(record)}"},
            "label": {"bytes": label, "path": f"{name}.png"},
            "classes": [number for number, count in enumerate(record.class_pixel_counts) if count],
            **{key: value for key, value in asdict(record).items() if key not in _LEFT_OUT},
        }

    def finish(self, prepared: Iterator[Prepared], facts: Facts) -> None:
        shard_rows = self._export.shard_rows
        num_shards = {split: -(-num // shard_rows) for split, num in self._export.num_rows.items()}
        by_shard = groupby(prepared, key=lambda sample: (sample.record.split, sample.number // shard_rows))
        for (split, shard), samples in by_shard:
            name = f"data/{split}-{shard:05d}-of-{num_shards[split]:05d}.parquet"
            with self._open(name) as writer:
                for rows in _groups(sample.found for sample in samples):
                    writer.write_table(pa.Table.from_pylist(rows, schema=self._schema))
        facts.notes["shards"] = sum(num_shards.values())
        self._export.write("README.md", _card(self._export.about, list(num_shards)).encode())

    def _open(self, name: str) -> pq.ParquetWriter:
        pictures = [f"{kind}.{part}" for kind in ("image", "label") for part in ("bytes", "path")]
        others = [column for column in self._schema.names if column not in ("image", "label")]
        leaves = [f"{column}.list.element" if column in _LISTS else column for column in others]
        return pq.ParquetWriter(
            self._export.place(name),
            self._schema,
            # Pictures are compressed already, and their bytes in a file's statistics make it slow to open.
            compression=dict.fromkeys(leaves, "zstd") | dict.fromkeys(pictures, "none"),
            use_dictionary=leaves,
            write_statistics=leaves,
            write_page_checksum=True,
        )


def _groups(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The rows of each row group."""
    group: list[dict[str, Any]] = []
    num_bytes = 0
    for row in rows:
        group.append(row)
        num_bytes += len(row["image"]["bytes"]) + len(row["label"]["bytes"])
        is_large = len(group) >= MIN_ROWS_PER_GROUP and num_bytes >= BYTES_PER_GROUP
        if is_large or len(group) == MAX_ROWS_PER_GROUP:
            yield group
            group, num_bytes = [], 0
    if group:
        yield group


def _schema(classes: ExportClasses) -> pa.Schema:
    """Columns and, for `datasets`, what they mean."""
    fields = [pa.field("image", IMAGE), pa.field("label", IMAGE), pa.field("classes", pa.list_(pa.int64()))]
    fields += [field for field in SCHEMA if field.name not in _LEFT_OUT]
    features: dict[str, Any] = {field.name: _feature(field.type) for field in fields}
    names = {"_type": "ClassLabel", "names": classes.label_names}
    features |= {
        "image": {"_type": "Image"},
        "label": {"_type": "Image"},
        "classes": {"_type": "List", "feature": names},
    }
    metadata = {
        b"huggingface": json.dumps({"info": {"features": features}}).encode(),
        b"seg2real.palette": json.dumps(classes.label_palette, sort_keys=True).encode(),
    }
    return pa.schema(fields, metadata=metadata)


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_list(kind):
        return {"_type": "List", "feature": _feature(kind.value_type)}
    names = {pa.float32(): "float32", pa.bool_(): "bool"}
    return {"_type": "Value", "dtype": names.get(kind, str(kind))}


def _card(about: About, splits: list[str]) -> str:
    """Tells the loader which files are which split, and people what it is."""
    lines = ["---"]
    if _LICENCE_ID.fullmatch(about.licence):
        lines.append(f"license: {about.licence.lower()}")
    lines += ["configs:", "- config_name: default", "  data_files:"]
    for split in splits:
        lines += [f"  - split: {split}", f"    path: data/{split}-*.parquet"]
    licence = f"Licence: {about.licence}." if about.licence else "The licence was not stated."
    lines += ["---", f"# {about.name}", "", about.description, ""]
    lines += [about.sources, ""] if about.sources else []
    return "\n".join([*lines, licence, "", "Made with seg2real.", ""])
