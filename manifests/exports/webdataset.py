"""WebDataset: tar shards in which the files of a sample are neighbours with one key."""

import io
import json
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from manifests.exports.sample import Export, Facts, Sample
from manifests.schema import SampleRecord

__all__ = ["WebDataset"]

BLOCK_BYTES = 10_240
"""Tar files are multiples of it."""


class WebDataset:
    """<split>-<number>.tar with <key>.png (or .jpg), <key>.label.png and <key>.json, the row.

    The label keeps class ids of the palette; index.json names the classes and counts each shard's samples.
    """

    def __init__(self, export: Export):
        self._export = export

    def prepare(self, sample: Sample) -> bytes:
        """The part of a tar file that holds the sample."""
        key = sample.record.sample_id.replace(".", "_")  # a key ends at its first dot
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
            row = json.dumps(asdict(sample.record), sort_keys=True).encode()
            for name, data in (
                (f"{key}{sample.image_suffix}", sample.image),
                (f"{key}.label.png", sample.label),
                (f"{key}.json", row),
            ):
                member = tarfile.TarInfo(name)  # without a time: the same samples give the same bytes
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
            end = tar.offset
        return buffer.getvalue()[:end]

    def finish(self, prepared: Iterator[tuple[SampleRecord, Any]], facts: Facts) -> None:
        shards: dict[str, int] = {}
        numbers: dict[str, int] = defaultdict(int)
        writing, name = None, ""
        for record, part in prepared:
            shard, place = divmod(numbers[record.split], self._export.shard_rows)
            numbers[record.split] += 1
            if place == 0:
                _close(writing)
                name = f"{record.split}-{shard:06d}.tar"
                self._export.folder.mkdir(parents=True, exist_ok=True)
                writing = open(self._export.folder / name, "wb")  # noqa: SIM115 - closed when the next one opens
                shards[name] = 0
            writing.write(part)
            shards[name] += 1
        _close(writing)
        classes = [entry["name"] for entry in self._export.palette["classes"]]
        index = {"classes": classes, "shards": shards}
        self._export.write("index.json", json.dumps(index, indent=1).encode())
        facts.notes["shards"] = len(shards)


def _close(writing: io.BufferedWriter | None) -> None:
    if writing is not None:
        writing.write(bytes(-writing.tell() % BLOCK_BYTES or BLOCK_BYTES))  # two empty records end a tar file
        writing.close()
