"""WebDataset: tar shards in which the files of a sample are neighbours with one key."""

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby

from manifests.exports.sample import Export, Facts, Prepared, Sample, image_suffix

__all__ = ["WebDataset", "key_of"]

BLOCK_BYTES = 10_240
"""Tar files are multiples of it."""


class WebDataset:
    """<split>-<number>.tar with <key>.png (or .jpg), <key>.label.png and <key>.json, the row.

    The pixels of label.png are class ids, in a palette of their colours: a decoder that makes RGB of every
    picture loses them. index.json names the classes by id and counts each shard's samples.
    """

    def __init__(self, export: Export):
        self._export = export

    def prepare(self, sample: Sample) -> bytes:
        """The part of a tar file that holds the sample."""
        record, label = self._export.labelled(sample)
        key, buffer = key_of(record.sample_id), io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, data in (
                (f"{key}{image_suffix(record)}", self._export.read_image(sample)),
                (f"{key}.label.png", label),
                (f"{key}.json", json.dumps(asdict(record), sort_keys=True).encode()),
            ):
                member = tarfile.TarInfo(name)  # without a time: the same samples give the same bytes
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
            end = tar.offset
        return buffer.getvalue()[:end]

    def finish(self, prepared: Iterator[Prepared], facts: Facts) -> None:
        shards: dict[str, int] = {}
        shard_rows = self._export.shard_rows
        by_shard = groupby(prepared, key=lambda sample: (sample.record.split, sample.number // shard_rows))
        for (split, shard), samples in by_shard:
            name = f"{split}-{shard:06d}.tar"
            with self._export.place(name).open("wb") as file:
                shards[name] = 0
                for sample in samples:
                    file.write(sample.found)
                    shards[name] += 1
                file.write(bytes(-file.tell() % BLOCK_BYTES or BLOCK_BYTES))  # empty records end a tar file
        index = {"classes": self._export.classes.label_names, "shards": shards}
        self._export.write("index.json", json.dumps(index, indent=1).encode())
        facts.notes["shards"] = len(shards)


def key_of(sample_id: str) -> str:
    """A sample's key, which ends at its first dot: dots of the id are written as %2E, and % as %25."""
    return sample_id.replace("%", "%25").replace(".", "%2E")
