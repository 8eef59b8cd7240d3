"""Splits: stable, nested, near their fractions."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.splits import split_of

LABELS = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(4000)]


def splits(val: float, test: float, part: str = "train") -> list[str]:
    return [split_of(label, part, val_fraction=val, test_fraction=test) for label in LABELS]


def test_shares_are_near_the_fractions() -> None:
    found = splits(0.1, 0.2)
    assert found.count("val") / len(found) == pytest.approx(0.1, abs=0.02)
    assert found.count("test") / len(found) == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize(
    ("val", "test", "expected"),
    [(0, 0, {"train"}), (1, 0, {"val"}), (0, 1, {"test"}), (0.5, 0.5, {"val", "test"})],
)
def test_whole_fractions_are_exact(val: float, test: float, expected: set[str]) -> None:
    assert set(splits(val, test)) == expected


def test_a_label_from_a_test_folder_stays_in_test() -> None:
    assert set(splits(1, 0, part="test")) == {"test"}


def test_larger_fractions_take_from_train_only() -> None:
    for before, after in zip(splits(0.1, 0.1), splits(0.2, 0.3), strict=True):
        assert before in ("train", after)


def test_the_assignment_never_changes() -> None:
    # Datasets grow over years: these may not move, on any machine, in any release.
    assert "".join(split[1] for split in splits(0.2, 0.2)[:24]) == "rrrrrrrrerrerearraarrrrr"


@given(st.text("0123456789abcdef", min_size=64, max_size=64), st.floats(0, 0.5), st.floats(0, 0.5))
def test_every_label_has_one_split(label: str, val: float, test: float) -> None:
    found = {split_of(label, part, val_fraction=val, test_fraction=test) for part in ("train", "unsplit")}
    assert len(found) == 1 and found <= {"train", "val", "test"}
