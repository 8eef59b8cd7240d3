"""Benchmark: writing a dataset's table of a hundred thousand and of a million rows.

Each measurement has a process of its own, so that its peak of memory is its own. Rows are made up as they are
asked for, one part after the other; making them is not part of what is measured. What the whole commit of
such rows takes, which also merges, hashes and writes two files to the disk, is measured beside it.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.manifest_scale import made_up_rows
from benchmarks.rows import Row
from manifests.commit import commit
from manifests.reader import read_table
from manifests.writer import ROWS_PER_GROUP, write_rows

__all__ = ["rows", "run"]

ROOT = Path(__file__).parents[1]
NUM_ROWS = (100_000, 1_000_000)
SMOKE_ROWS = (1_000, 70_000)
CONSTANT = 1.1
"""The most that ten times the rows may take, in times the memory, for it to count as constant."""


def run(smoke: bool = False) -> dict[str, Any]:
    """Measure all.

    Args:
        smoke: few rows.

    Returns:
        "write" and "commit", each by number of rows: "seconds" and "cpu_seconds" without the making of rows,
        "before_mib" and "peak_mib" of the process, "table_mib", and "num_wrong", the rows that are missing
        when read back, or other than they were made in the first and last part.
    """
    sizes = SMOKE_ROWS if smoke else NUM_ROWS
    return {
        way: {str(num_rows): _measure_apart(way, num_rows) for num_rows in sizes}
        for way in ("write", "commit")
    }


def rows(found: dict[str, Any]) -> list[Row]:
    """B12."""
    made = [
        Row(
            id="B12",
            what=f"{way} {int(num_rows):,} rows, one core",
            value=int(num_rows) / figures["cpu_seconds"],
            unit="rows/s",
            goal=500_000 if way == "write" else None,
            note=f"{figures['seconds']:.2f} s of the wall clock",
        )
        for way, by_size in found.items()
        for num_rows, figures in by_size.items()
    ]
    few, many = found["write"].values()
    ratio = Row(
        id="B12",
        what="write, peak memory of ten times the rows",
        value=many["peak_mib"] / few["peak_mib"],
        unit="x",
        goal=CONSTANT,
        is_less_better=True,
        note=f"{few['peak_mib']:.0f} and {many['peak_mib']:.0f} MiB; files of {few['table_mib']:.0f} and "
        f"{many['table_mib']:.0f} MiB",
    )
    return [*made, ratio]


class _Parts:
    """Made-up rows in parts, and how long making them took.

    Args:
        num_rows: in all.
    """

    def __init__(self, num_rows: int):
        self._num_rows = num_rows
        self.schema = made_up_rows(0, 1).schema
        self.seconds = self.cpu_seconds = 0.0

    def __iter__(self) -> Iterator[pa.Table]:
        for start in range(0, self._num_rows, ROWS_PER_GROUP):
            begin, cpu_begin = time.perf_counter(), time.process_time()
            part = made_up_rows(start, min(start + ROWS_PER_GROUP, self._num_rows))
            self.seconds += time.perf_counter() - begin
            self.cpu_seconds += time.process_time() - cpu_begin
            yield part


def _measure_apart(way: str, num_rows: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.manifest_writer", way, str(num_rows)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def _write(num_rows: int) -> dict[str, float]:
    parts = _Parts(num_rows)
    before_mib = _peak_mib()
    begin, cpu_begin = time.perf_counter(), time.process_time()
    data = write_rows(parts, parts.schema)
    found = {
        "seconds": time.perf_counter() - begin - parts.seconds,
        "cpu_seconds": time.process_time() - cpu_begin - parts.cpu_seconds,
        "before_mib": before_mib,
        "peak_mib": _peak_mib(),
        "table_mib": len(data) / 2**20,
    }
    return found | {"num_wrong": _num_wrong(pq.read_table(pa.BufferReader(data)), num_rows)}


def _commit(num_rows: int) -> dict[str, float]:
    table = pa.concat_tables(_Parts(num_rows))
    before_mib = _peak_mib()
    with tempfile.TemporaryDirectory(prefix="bench-writer-") as folder:
        root = Path(folder) / "dataset"
        begin, cpu_begin = time.perf_counter(), time.process_time()
        commit(root, table)
        found = {
            "seconds": time.perf_counter() - begin,
            "cpu_seconds": time.process_time() - cpu_begin,
            "before_mib": before_mib,
            "peak_mib": _peak_mib(),
            "table_mib": (root / "metadata.parquet").stat().st_size / 2**20,
        }
        return found | {"num_wrong": _num_wrong(read_table(root), num_rows)}


def _num_wrong(read: pa.Table, num_rows: int) -> int:
    """Rows that are missing or too many, and those of the first and the last part that differ."""
    last = num_rows - (num_rows - 1) % ROWS_PER_GROUP - 1
    wrong = abs(read.num_rows - num_rows)
    for start in {0, last}:
        stop = min(start + ROWS_PER_GROUP, num_rows)
        if not read.slice(start, stop - start).equals(made_up_rows(start, stop)):
            wrong += stop - start
    return wrong


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    measure = {"write": _write, "commit": _commit}[sys.argv[1]]
    print(json.dumps(measure(int(sys.argv[2]))))
