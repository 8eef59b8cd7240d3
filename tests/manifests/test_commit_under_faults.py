"""Commits that are overtaken, killed or short of space: nothing lost, nothing twice, never half a table."""

import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from manifests.commit import commit
from manifests.durable import DiskFullError
from manifests.manifest import Manifest
from manifests.merge import ConflictError
from manifests.reader import read_records, read_schema, read_table
from manifests.schema import version_number
from manifests.storage.folder import FolderStore
from manifests.versions import version_numbers


def ids(root: Path) -> list[str]:
    return [record.source_label.split("/")[1].removesuffix(".png") for record in read_records(root)]


def overtake(monkeypatch: pytest.MonkeyPatch, by: Callable[[], object]) -> None:
    """Let another writer commit between the next commit's look at the head and its version record."""
    create = FolderStore.create

    def late(store: FolderStore, name: str, data: bytes) -> None:
        monkeypatch.setattr(FolderStore, "create", create)
        by()
        create(store, name, data)

    monkeypatch.setattr(FolderStore, "create", late)


def test_an_overtaken_addition_is_retried(tmp_path: Path, rows: Callable, monkeypatch) -> None:
    commit(tmp_path, rows("a"))
    overtake(monkeypatch, lambda: commit(tmp_path, rows("b")))
    assert commit(tmp_path, rows("c")) == 3
    assert ids(tmp_path) == ["a", "b", "c"]
    assert len(list((tmp_path / "_versions").glob("*.parquet"))) == 3


def test_an_addition_overtaken_by_the_same_rows_is_done(tmp_path: Path, rows: Callable, monkeypatch) -> None:
    overtake(monkeypatch, lambda: commit(tmp_path, rows("a")))
    assert commit(tmp_path, rows("a")) == 1
    assert Manifest.open(tmp_path).table.num_rows == 1


def test_an_overtaken_removal_is_refused(tmp_path: Path, rows: Callable, make_record, monkeypatch) -> None:
    commit(tmp_path, rows("a", "b"))
    overtake(monkeypatch, lambda: commit(tmp_path, rows("c")))
    with pytest.raises(ConflictError, match="version 2 came from another writer"):
        commit(tmp_path, remove=[make_record("a").sample_id])
    assert ids(tmp_path) == ["a", "b", "c"]


def test_opening_publishes_what_a_dead_writer_committed(tmp_path: Path, rows: Callable) -> None:
    commit(tmp_path, rows("a"))
    old = (tmp_path / "metadata.parquet").read_bytes()
    commit(tmp_path, rows("b"))
    new = (tmp_path / "metadata.parquet").read_bytes()
    for left_behind in (old, b"", None):
        (tmp_path / "metadata.parquet").unlink()
        if left_behind is not None:
            (tmp_path / "metadata.parquet").write_bytes(left_behind)
        assert Manifest.open(tmp_path).version == 2
        assert (tmp_path / "metadata.parquet").read_bytes() == new


def test_a_full_disk_leaves_the_old_version(tmp_path: Path, rows: Callable) -> None:
    commit(tmp_path, rows("a"))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(DiskFullError, match="bytes were needed"):
            commit(tmp_path, rows(*"bcdef"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before
    assert commit(tmp_path, rows(*"bcdef")) == 2


NUM_STEPS = 22
"""Before and after each thing that two commits do to the disk."""

WORKER = """
import os, signal, sys
class NoPandas:
    # pyarrow would load it, which takes longer than the test.
    def find_spec(self, name, *_):
        if name == "pandas":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, NoPandas())
from pathlib import Path
import manifests.commit as committing
from manifests.storage.folder import FolderStore
from manifests.schema import SCHEMA, SampleRecord, to_table

writer, first, last, roots = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
steps = step_to_die_at = 0

def dying(function):
    def call(*arguments, **options):
        global steps
        for moment in ("before", "after"):
            steps += 1
            if steps == step_to_die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            if moment == "before":
                result = function(*arguments, **options)
        return result
    return call

for owner, name in (
    (FolderStore, "replace"), (FolderStore, "create"), (FolderStore, "replace_while"),
    (committing, "publish_newest"),
):
    setattr(owner, name, dying(getattr(owner, name)))

plain = {field.name: "x" for field in SCHEMA} | dict.fromkeys(
    ["width", "height", "image_bytes", "label_bytes", "seed", "variant"], 1
) | {"class_pixel_counts": (1,), "mask_coverage": 0.5, "accepted": True}
palette = {"name": "p", "classes": [{"name": "a", "color": [0, 0, 0]}]}
print("ready", flush=True)
for argument in roots:
    step, root = argument.split(":", 1)
    # With several roots, each has a child of its own, so that Python and Arrow start once.
    if len(roots) > 1 and os.fork():
        print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
        continue
    step_to_die_at = int(step)
    for batch in range(first, last):
        records = [SampleRecord(**plain | {"sample_id": f"{writer}-{batch:04d}-{row}"}) for row in range(5)]
        committing.commit(Path(root), to_table(records, palette=palette))
        if len(roots) == 1:
            print(batch, flush=True)
    if len(roots) > 1:
        os._exit(0)
"""


def start(writer: str, first: int, last: int, *roots: Path, steps: Sequence[int] = (0,)) -> subprocess.Popen:
    """A process that commits batches of five rows to each root; it dies at the root's step, 0 = never."""
    arguments = [f"{step}:{root}" for step, root in zip(steps, roots, strict=True)]
    command = [sys.executable, "-c", WORKER, writer, str(first), str(last), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def batches(root: Path) -> dict[str, list[int]]:
    """Batches per writer in the published table; each must be whole and there once."""
    rows: dict[str, list[str]] = {}
    for identifier in read_table(root)["sample_id"].to_pylist():
        rows.setdefault(identifier.rsplit("-", 1)[0], []).append(identifier[-1])
    assert all(sorted(found) == list("01234") for found in rows.values())
    found: dict[str, list[int]] = {}
    for key in sorted(rows):
        writer, batch = key.split("-")
        found.setdefault(writer, []).append(int(batch))
    return found


def test_killed_at_each_step_and_started_again_it_ends_in_the_same_table(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    assert start("w", 0, 3, whole).communicate()[0].split()[1:] == ["0", "1", "2"]
    steps = range(1, NUM_STEPS + 1)
    roots = [tmp_path / str(step) for step in steps]
    codes = start("w", 0, 2, *roots, steps=steps).communicate()[0].split()[1:]
    assert codes == [str(-signal.SIGKILL)] * NUM_STEPS
    for step, root in zip(steps, roots, strict=True):
        # A plain reader sees the last committed version or, if its publisher died, the one before.
        committed = (version_numbers(root) or [0])[-1]
        published = version_number(read_schema(root)) if (root / "metadata.parquet").exists() else 0
        assert published in (committed, committed - 1)
        # The next open puts that right.
        if step % 2:
            assert Manifest.open(root).version == committed
            assert not committed or version_number(read_schema(root)) == committed
    # The same command again ends in the same table, whether somebody opened the dataset in between or not.
    codes = start("w", 0, 3, *roots, steps=[0] * NUM_STEPS).communicate()[0].split()[1:]
    assert codes == ["0"] * NUM_STEPS
    for root in roots:
        assert (root / "metadata.parquet").read_bytes() == (whole / "metadata.parquet").read_bytes()


def test_four_writers_at_once_all_arrive(tmp_path: Path) -> None:
    processes = [start(writer, 0, 6, tmp_path) for writer in "abcd"]
    assert [process.communicate()[0].split()[1:] for process in processes] == [list("012345")] * 4
    assert batches(tmp_path) == {writer: list(range(6)) for writer in "abcd"}
    assert Manifest.open(tmp_path).version == 24
