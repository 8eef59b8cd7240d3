"""Hugging Face: Parquet shards with the images in them, which load anywhere with one line."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.exports.sample import Export, Facts, Sample
from manifests.schema import SCHEMA, SPLITS, SampleRecord

__all__ = ["HuggingFace"]

ROWS_PER_GROUP = 32
"""Row groups of about a megabyte: a row is found without reading much else."""
IMAGE = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
LEFT_OUT = {"image_file_name", "label_file_name"}
"""Columns that name files: these are in the rows now."""


class HuggingFace:
    """data/<split>-<number>-of-<count>.parquet, README.md.

    `image` and `label` are images; a label's pixels are class ids of the palette.
    """

    def __init__(self, export: Export):
        self._export = export
        self._schema = _schema(export.palette)

    def prepare(self, sample: Sample) -> dict[str, Any]:
        name = sample.record.sample_id
        return {
            "image": {"bytes": sample.image, "path": f"{name}{sample.image_suffix}"},
            "label": {"bytes": sample.label, "path": f"{name}.png"},
            **{key: value for key, value in asdict(sample.record).items() if key not in LEFT_OUT},
        }

    def finish(self, prepared: Iterator[tuple[SampleRecord, Any]], facts: Facts) -> None:
        shard_rows = self._export.shard_rows
        num_shards = {split: -(-num // shard_rows) for split, num in self._export.num_rows.items()}
        written = dict.fromkeys(self._export.splits, 0)
        writer, waiting = None, []
        for record, row in prepared:
            shard, place = divmod(written[record.split], shard_rows)
            written[record.split] += 1
            if place == 0:
                self._flush(writer, waiting)
                _close(writer)
                writer = self._open(record.split, shard, num_shards[record.split])
            waiting.append(row)
            if len(waiting) == ROWS_PER_GROUP:
                self._flush(writer, waiting)
        self._flush(writer, waiting)
        _close(writer)
        facts.notes["shards"] = sum(num_shards.values())
        self._export.write("README.md", _card(num_shards).encode())

    def _open(self, split: str, shard: int, num_shards: int) -> pq.ParquetWriter:
        path = self._export.folder / "data" / f"{split}-{shard:05d}-of-{num_shards:05d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pictures = [f"{kind}.{part}" for kind in ("image", "label") for part in ("bytes", "path")]
        others = [name for name in self._schema.names if name not in ("image", "label")]
        others[others.index("class_pixel_counts")] = "class_pixel_counts.list.element"
        return pq.ParquetWriter(
            path,
            self._schema,
            # Pictures are compressed already, and their bytes in a file's statistics make it slow to open.
            compression=dict.fromkeys(others, "zstd") | dict.fromkeys(pictures, "none"),
            use_dictionary=others,
            write_statistics=others,
            write_page_checksum=True,
        )

    def _flush(self, writer: pq.ParquetWriter | None, waiting: list[dict[str, Any]]) -> None:
        if waiting:
            writer.write_table(pa.Table.from_pylist(waiting, schema=self._schema))
            waiting.clear()


def _close(writer: pq.ParquetWriter | None) -> None:
    if writer is not None:
        writer.close()


def _schema(palette: dict[str, Any]) -> pa.Schema:
    """Columns and, for `datasets`, what they mean."""
    fields = [pa.field("image", IMAGE), pa.field("label", IMAGE)]
    fields += [field for field in SCHEMA if field.name not in LEFT_OUT]
    index = next(number for number, field in enumerate(fields) if field.name == "split")
    fields[index] = pa.field("split", pa.string())
    features: dict[str, Any] = {field.name: _feature(field.type) for field in fields}
    features |= {"image": {"_type": "Image"}, "label": {"_type": "Image"}}
    metadata = {
        b"huggingface": json.dumps({"info": {"features": features}}).encode(),
        b"seg2real.palette": json.dumps(palette, sort_keys=True).encode(),
    }
    return pa.schema(fields, metadata=metadata)


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_list(kind):
        return {"_type": "List", "feature": _feature(kind.value_type)}
    names = {pa.float32(): "float32", pa.bool_(): "bool"}
    return {"_type": "Value", "dtype": names.get(kind, str(kind))}


def _card(num_shards: dict[str, int]) -> str:
    """Tells the loader which files are which split."""
    lines = ["---", "configs:", "- config_name: default", "  data_files:"]
    for split in SPLITS:
        if num_shards.get(split):
            lines += [f"  - split: {split}", f"    path: data/{split}-*.parquet"]
    return "\n".join([*lines, "---", "# Synthetic images with labels", "", "Made with seg2real.", ""])
