"""The benchmark's made-up rows are sound, and each measurement does what it says."""

from pathlib import Path

import pytest

from benchmarks.manifest_scale import (
    MEASUREMENTS,
    NUM_APPENDED,
    ListedFolder,
    made_up_rows,
    measure_apart,
)
from manifests.commit import commit
from manifests.reader import read_table
from manifests.verification.verify import verify


@pytest.fixture
def root(tmp_path: Path) -> Path:
    commit(tmp_path, made_up_rows(0, 600))
    return tmp_path


def test_made_up_rows_are_sound_and_ordered(root: Path) -> None:
    assert verify(ListedFolder(root, 600)).is_ok
    assert verify(ListedFolder(root, 599)).num_by_code == {"missing_file": 2}
    ids = read_table(root)["sample_id"].to_pylist()
    assert ids == sorted(ids) == made_up_rows(0, 600)["sample_id"].to_pylist()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("append 10,000 rows", NUM_APPENDED),
        ("insert 10,000 rows between others", 600),
        ("replace a row", 0),
        ("read a loader's columns", 0),
        ("verify", 0),
    ],
)
def test_a_measurement_does_what_it_says(root: Path, name: str, change: int) -> None:
    MEASUREMENTS[name](root, 600)()
    assert read_table(root).num_rows == 600 + change


def test_a_measurement_has_a_process_of_its_own(root: Path) -> None:
    found = measure_apart("verify", root, 600)
    assert found.keys() == {"seconds", "cpu_seconds", "peak_mb"} and all(
        value > 0 for value in found.values()
    )
