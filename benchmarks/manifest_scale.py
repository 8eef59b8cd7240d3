"""Benchmark: what changes and checks of a dataset cost as it grows from ten thousand rows to a million.

Each measurement has a process of its own, so that its peak of memory is its own. Rows are made up, with ids,
names and hashes that differ as real ones do; the files that they name are not there, and a check of their
presence is answered by a listing that is made up, too: what is measured is the table's share.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from manifests.commit import commit
from manifests.reader import read_table
from manifests.schema import SCHEMA, to_table
from manifests.storage.folder import FolderStore
from manifests.storage.store import FileStatus
from manifests.verification.verify import verify

__all__ = ["MEASUREMENTS", "ListedFolder", "made_up_rows", "measure_apart", "run"]

ROWS_PER_FOLDER = 256
NUM_APPENDED = 10_000
NUM_CLASSES = 6
PALETTE = {
    "name": "made-up",
    "classes": [{"name": f"class {index}", "color": [index, 0, 0]} for index in range(NUM_CLASSES)],
}
WIDTH, HEIGHT = 256, 192


def made_up_rows(start: int, stop: int, *, step: int = 1, stem: str = "frame") -> pa.Table:
    """Rows with numbers from `start` to `stop`, whose sample_ids ascend with their numbers."""
    numbers = np.arange(start, stop, step)
    num = len(numbers)
    random = np.random.default_rng([start, stop])
    ids = [_sample_id(stem, number) for number in numbers]
    counts = random.multinomial(WIDTH * HEIGHT, np.full(NUM_CLASSES, 1 / NUM_CLASSES), num)
    hashes = [random.bytes(32 * num).hex() for _ in range(3)]
    columns = {
        "sample_id": ids,
        "image_file_name": [_file_name("images", *named) for named in zip(numbers, ids, strict=True)],
        "label_file_name": [_file_name("labels", *named) for named in zip(numbers, ids, strict=True)],
        "width": np.full(num, WIDTH),
        "height": np.full(num, HEIGHT),
        "image_bytes": _num_bytes(numbers),
        "label_bytes": _num_bytes(numbers),
        **{
            name: [digits[64 * row : 64 * row + 64] for row in range(num)]
            for name, digits in zip(("image_sha256", "label_sha256", "source_sha256"), hashes, strict=True)
        },
        "source_set": ["soccer"] * num,
        "source_label": [f"segTrain/{stem}_{number:08d}.png" for number in numbers],
        "source_part": ["train"] * num,
        "split": random.choice(["train", "val", "test"], num),
        "class_pixel_counts": list(counts),
        "mask_coverage": random.random(num),
        "seed": np.zeros(num),
        "variant": np.zeros(num),
        "method": ["attention_cyclegan"] * num,
        "snapshot_name": ["snapshot-00004000"] * num,
        "snapshot_sha256": ["a" * 64] * num,
        "config_sha256": ["b" * 64] * num,
        "accepted": np.ones(num, bool),
        "seg2real_version": ["0.1.0"] * num,
        "torch_version": ["2.15.0"] * num,
    }
    arrays = [pa.array(columns.get(f.name, [None] * num)).cast(f.type) for f in SCHEMA]
    return pa.Table.from_arrays(
        arrays, schema=SCHEMA.with_metadata(to_table([], palette=PALETTE).schema.metadata)
    )


class ListedFolder(FolderStore):
    """A folder whose table is real and whose images and labels are made up as `made_up_rows` names them.

    Args:
        root: the dataset's folder.
        num_rows: numbers of its rows, from 0.
    """

    def __init__(self, root: Path, num_rows: int):
        super().__init__(root)
        self._num_rows = num_rows

    def walk(self, folder: str) -> Iterator[tuple[str, dict[str, FileStatus]]]:
        if folder not in ("images", "labels"):
            yield from super().walk(folder)
            return
        for start in range(0, self._num_rows, ROWS_PER_FOLDER):
            numbers = range(start, min(start + ROWS_PER_FOLDER, self._num_rows))
            sizes = _num_bytes(np.array(numbers)).tolist()
            yield (
                f"{folder}/{start // ROWS_PER_FOLDER:04d}",
                {
                    f"{_sample_id('frame', number)}.png": FileStatus(size, 0.0)
                    for number, size in zip(numbers, sizes, strict=True)
                },
            )


def _sample_id(stem: str, number: int) -> str:
    return f"{stem}_{number:08d}-{int(number) * 0x9E3779B1 % 16**10:010x}"


def _file_name(kind: str, number: int, sample_id: str) -> str:
    return f"{kind}/{number // ROWS_PER_FOLDER:04d}/{sample_id}.png"


def _num_bytes(numbers: np.ndarray) -> np.ndarray:
    return 90_000 + numbers * 7919 % 40_000


def _create(root: Path, num_rows: int) -> None:
    commit(root, made_up_rows(0, num_rows))


def _append(root: Path, num_rows: int) -> Callable[[], object]:
    rows = made_up_rows(num_rows, num_rows + NUM_APPENDED)
    return lambda: commit(root, rows)


def _insert(root: Path, num_rows: int) -> Callable[[], object]:
    step = max(1, num_rows // NUM_APPENDED)
    rows = made_up_rows(0, num_rows, step=step, stem="frame_")
    ids = [name.replace("frame__", "frame_", 1) + "-b" for name in rows["sample_id"].to_pylist()]
    rows = rows.set_column(0, SCHEMA.field("sample_id"), pa.array(ids))
    return lambda: commit(root, rows)


def _replace(root: Path, num_rows: int) -> Callable[[], object]:
    row = made_up_rows(0, 1)
    return lambda: commit(root, row, remove=row["sample_id"].to_pylist())


def _roll(root: Path, num_rows: int) -> Callable[[], object]:
    ids = made_up_rows(num_rows, num_rows + NUM_APPENDED)["sample_id"].to_pylist()
    return lambda: commit(root, remove=ids)


def _verify(root: Path, num_rows: int) -> Callable[[], object]:
    def check() -> None:
        report = verify(ListedFolder(root, num_rows))
        assert report.is_ok and report.num_rows == num_rows, report.num_by_code

    return check


def _read(root: Path, num_rows: int) -> Callable[[], object]:
    return lambda: read_table(root, ["sample_id", "image_file_name", "label_file_name", "split", "accepted"])


MEASUREMENTS = {
    "verify": _verify,
    "read a loader's columns": _read,
    "append 10,000 rows": _append,
    "remove 10,000 rows": _roll,
    "replace a row": _replace,
    "insert 10,000 rows between others": _insert,
}
"""By name, in the order in which they are made: the last ones leave rows that a check would not find."""


def run(num_rows: tuple[int, ...] = (10_000, 100_000, 1_000_000)) -> dict[str, Any]:
    """Measure all; the answer is fit for JSON.

    Returns:
        By number of rows and name: "seconds" of the wall clock, "cpu_seconds", and "peak_mb", the most memory
        that the process held, Python and libraries included; and "table_mb", the size of the table.
    """
    found: dict[str, Any] = {}
    for num in num_rows:
        with tempfile.TemporaryDirectory(prefix="manifest-scale-") as folder:
            root = Path(folder) / "dataset"
            measure_apart("create", root, num)
            found[str(num)] = {name: measure_apart(name, root, num) for name in MEASUREMENTS}
            found[str(num)]["table_mb"] = (root / "metadata.parquet").stat().st_size / 1e6
    return found


def measure_apart(name: str, root: Path, num_rows: int) -> dict[str, float]:
    """One measurement, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.manifest_scale", "--measure", name, str(root), str(num_rows)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def _measured(name: str, root: Path, num_rows: int) -> dict[str, float]:
    if name == "create":
        _create(root, num_rows)
        return {}
    function = MEASUREMENTS[name](root, num_rows)
    start, cpu_start = time.perf_counter(), time.process_time()
    function()
    return {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - cpu_start,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }


def _as_table(found: dict[str, Any]) -> str:
    lines = [" " * 34 + "".join(f"{int(num):>22,} rows" for num in found)]
    for name in MEASUREMENTS:
        cells = (
            f"{sizes[name]['seconds']:10.2f} s {sizes[name]['peak_mb']:8.0f} MB" for sizes in found.values()
        )
        lines.append(f"{name:34}" + "".join(f"{cell:>27}" for cell in cells))
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(_measured(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))))
    else:
        sizes = tuple(map(int, sys.argv[1:])) or (10_000, 100_000, 1_000_000)
        measured = run(sizes)
        print(_as_table(measured))
        print(json.dumps(measured))
