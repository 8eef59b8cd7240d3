"""Durable files: whole or absent, one winner, clear refusals."""

import errno
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from manifests.durable import (
    DiskFullError,
    LockHeldError,
    create_durable,
    exclusive_lock,
    is_temporary,
    make_folders,
    open_durable,
    write_durable,
)


def run(code: str, *arguments: object) -> subprocess.Popen:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_write_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_durable(path, b"old")
    write_durable(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a"]


def test_the_longest_legal_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    write_durable(path, b"data")
    assert path.read_bytes() == b"data"


def test_create_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "a"
    create_durable(path, b"first")
    with pytest.raises(FileExistsError, match=str(path)):
        create_durable(path, b"second")
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["a"]


def test_of_many_creators_exactly_one_wins(tmp_path: Path) -> None:
    path, winners = tmp_path / "a", []

    def create(number: int) -> None:
        try:
            create_durable(path, str(number).encode())
            winners.append(number)
        except FileExistsError:
            pass

    threads = [threading.Thread(target=create, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(winners) == 1
    assert path.read_bytes() == str(winners[0]).encode()


def test_open_keeps_the_old_file_when_the_block_fails(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_durable(path, b"old")
    with pytest.raises(ZeroDivisionError), open_durable(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    with open_durable(path) as file:
        file.write(b"whole")
    assert path.read_bytes() == b"whole"
    assert os.listdir(tmp_path) == ["a"]


def test_an_error_of_the_block_keeps_the_file_it_names(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"), open_durable(tmp_path / "a"):
        (tmp_path / "absent").read_bytes()
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_named_not_the_temporary_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing/a'"):
        write_durable(tmp_path / "missing" / "a", b"data")
    make_folders(tmp_path / "missing" / "deeper")
    make_folders(tmp_path / "missing" / "deeper")
    write_durable(tmp_path / "missing" / "deeper" / "a", b"data")


@pytest.mark.parametrize("writer", [write_durable, create_durable])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path, writer) -> None:
    path = tmp_path / "a"
    if writer is write_durable:
        write_durable(path, b"old")
    before = sorted(os.listdir(tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(
            DiskFullError, match=f"{path}: 10000 bytes were needed.*bytes are free"
        ) as refusal:
            writer(path, b"x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert refusal.value.errno == errno.EFBIG
    assert sorted(os.listdir(tmp_path)) == before


def test_a_full_tmpfs_keeps_the_old_file(tmp_path: Path) -> None:
    code = """
import errno, os, sys
from pathlib import Path
from manifests.durable import DiskFullError, open_durable, write_durable
path = Path(sys.argv[1]) / "a"
write_durable(path, b"old")
for attempt in (lambda: write_durable(path, b"x" * 2_000_000), lambda: stream(path)):
    def stream(path):
        with open_durable(path) as file:
            for _ in range(200):
                file.write(b"x" * 10_000)
    try:
        attempt()
    except DiskFullError as error:
        assert error.errno == errno.ENOSPC
        print(error)
assert path.read_bytes() == b"old" and os.listdir(path.parent) == ["a"]
"""
    mount = f'mount -t tmpfs -o size=1m none "{tmp_path}" 2>/dev/null || exit 77; exec "$0" "$@"'
    command = ["unshare", "-m", "sh", "-c", mount, sys.executable, "-c", code, str(tmp_path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no unshare on this machine")
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("this user may not mount a small tmpfs")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert "2000000 bytes were needed" in first
    assert "it was full after" in second


def test_kill_at_any_moment_leaves_whole_files_only(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from manifests.durable import write_durable
print("ready", flush=True)
for number in range(1_000_000):
    write_durable(Path(sys.argv[1]) / "a", bytes([number % 256]) * 300_000)
"""
    for attempt in range(3):
        process = run(code, tmp_path)
        process.stdout.readline()
        time.sleep(0.05 + 0.017 * attempt)
        process.kill()
        process.communicate()
        data = (tmp_path / "a").read_bytes()
        assert len(data) == 300_000 and len(set(data)) == 1
    assert all(name == "a" or is_temporary(name) for name in os.listdir(tmp_path))


HOLD = """
import os, sys, time
from pathlib import Path
from manifests.durable import exclusive_lock
with exclusive_lock(Path(sys.argv[1]), what="The output"):
    child = os.fork() if sys.argv[2] == "fork" else -1
    if child:
        print(child, flush=True)
    time.sleep(60)
"""


def test_a_lock_names_its_holder_and_dies_with_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = run(HOLD, path, "alone")
    process.stdout.readline()
    with (
        pytest.raises(LockHeldError, match=f"The output is in use by process {process.pid} on host "),
        exclusive_lock(path, what="The output"),
    ):
        pass
    process.kill()
    process.communicate()
    with exclusive_lock(path, what="The output"):
        pass


def test_a_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = run(HOLD, path, "fork")
    child = int(process.stdout.readline())
    process.kill()
    process.wait()
    with exclusive_lock(path, what="The output", wait_seconds=30):  # the child may not have run yet
        pass
    os.kill(child, signal.SIGKILL)
    process.communicate()


def test_a_lock_can_be_waited_for(tmp_path: Path) -> None:
    path, order = tmp_path / "lock", []

    def hold() -> None:
        with exclusive_lock(path, what="It", wait_seconds=10):
            order.append("in")
            time.sleep(0.05)
            order.append("out")

    threads = [threading.Thread(target=hold) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert order == ["in", "out"] * 3
