"""Writers that are killed at random moments lose nothing, leave nothing twice, and never half a table."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import datasets
import duckdb
import pandas
import polars
import pyarrow.dataset
import pytest

from manifests.durable import is_temporary
from manifests.manifest import Manifest
from manifests.reader import TABLE_NAME, read_table
from manifests.versions import version_numbers

ROOT = Path(__file__).parents[2]
NUM_KILLS = 28
WRITERS = "abcd"
READERS = {
    "pandas": lambda path: pandas.read_parquet(path)["sample_id"].tolist(),
    "polars": lambda path: polars.read_parquet(path)["sample_id"].to_list(),
    "duckdb": lambda path: [row[0] for row in duckdb.sql(f"select sample_id from '{path}'").fetchall()],
    "pyarrow": lambda path: pyarrow.dataset.dataset(path).to_table()["sample_id"].to_pylist(),
    "datasets": lambda path: datasets.Dataset.from_parquet(str(path), keep_in_memory=True)["sample_id"][:],
    "seg2real": lambda path: read_table(path.parent)["sample_id"].to_pylist(),
}


@pytest.fixture
def bear(tmp_path: Path) -> Iterator[Callable[[str], int]]:
    """Start a writer by its name; its process id."""
    command = [
        sys.executable,
        Path(__file__).with_name("nursery.py"),
        tmp_path / "dataset",
        tmp_path / "done",
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as nursery:
        assert nursery.stdout.readline() == "ready\n"

        def bear(writer: str) -> int:
            nursery.stdin.write(f"{writer}\n")
            nursery.stdin.flush()
            return int(nursery.stdout.readline())

        yield bear
        nursery.stdin.close()


def batches(ids: list[str]) -> dict[str, list[int]]:
    """Batches of each writer, from the ids of a table; each must be whole and there once."""
    rows = defaultdict(list)
    for identifier in ids:
        rows[identifier[:-2]].append(identifier[-1])
    assert all(sorted(found) == list("01234") for found in rows.values())
    found = defaultdict(list)
    for key in sorted(rows):
        found[key[0]].append(int(key[2:]))
    return dict(found)


def test_four_writers_and_random_kills_lose_and_duplicate_nothing(
    tmp_path: Path, bear: Callable[[str], int]
) -> None:
    root, table = tmp_path / "dataset", tmp_path / "dataset" / TABLE_NAME
    stop, sightings = threading.Event(), []

    def watch() -> None:
        # Who opens the table once sees whole batches only, at any time, and never fewer than before.
        while not stop.is_set():
            if table.exists():
                ids = read_table(root, ["sample_id"])["sample_id"].to_pylist()
                sightings.append({writer: len(numbers) for writer, numbers in batches(ids).items()})

    watcher = threading.Thread(target=watch)
    watcher.start()
    random, children = Random(0), {writer: bear(writer) for writer in WRITERS}
    for number in range(NUM_KILLS):
        time.sleep(random.uniform(0.05, 0.35))
        writer = WRITERS[number % len(WRITERS)]
        os.kill(children[writer], signal.SIGKILL)
        children[writer] = bear(writer)
    for child in children.values():
        os.kill(child, signal.SIGKILL)
    stop.set()
    watcher.join()

    # What was acknowledged is there, whole and once, and nothing is missing in between.
    manifest = Manifest.open(root)
    found = batches(manifest.table["sample_id"].to_pylist())
    num_acknowledged = 0
    for writer in WRITERS:
        acknowledged = {int(line) for line in (tmp_path / "done" / writer).read_text().split()}
        num_acknowledged += len(acknowledged)
        assert acknowledged <= set(found.get(writer, []))
        assert found.get(writer, []) == list(range(len(found.get(writer, []))))
    assert num_acknowledged > 0 and manifest.version == sum(map(len, found.values()))
    assert version_numbers(root) == list(range(1, manifest.version + 1))
    assert len(sightings) > NUM_KILLS
    for earlier, later in zip(sightings, sightings[1:], strict=False):
        assert all(later[writer] >= number for writer, number in earlier.items())

    # Every reader sees the same rows, and nothing else lies about.
    ids = manifest.table["sample_id"].to_pylist()
    assert {tool: read(table) for tool, read in READERS.items()} == dict.fromkeys(READERS, ids)
    leftovers = {name for name in os.listdir(root) if is_temporary(name)}
    assert set(os.listdir(root)) - leftovers <= {"README.md", "_versions", TABLE_NAME}
