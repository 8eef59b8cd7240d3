"""The summary adds up."""

from collections.abc import Callable
from pathlib import Path

import pytest

from manifests.commit import commit
from manifests.info import describe
from manifests.schema import to_table
from manifests.table_file import ManifestError


def test_a_dataset_at_a_glance(tmp_path: Path, make_record: Callable, palette: dict) -> None:
    records = [
        make_record("a", split="train", class_pixel_counts=(0, 40, 8)),
        make_record("b", split="train", class_pixel_counts=(48, 0, 0)),
        make_record("c", split="test", width=16, class_pixel_counts=(96, 0, 0)),
        make_record("d", split="val", accepted=False, reject_reason="blurred", class_pixel_counts=(0, 0, 48)),
    ]
    commit(tmp_path, to_table(records, palette=palette))
    info = describe(tmp_path)
    assert (info.version, info.num_samples, info.num_accepted, info.num_source_labels) == (1, 4, 3, 4)
    assert info.created is not None
    assert info.num_bytes == 4 * 150
    assert info.samples_per_split == {"train": 2, "val": 0, "test": 1}
    assert info.samples_per_reject_reason == {"blurred": 1}
    assert info.samples_per_size == {"8x6": 3, "16x6": 1}
    assert info.samples_per_method == {"attention_cyclegan": 4}
    assert list(info.samples_per_snapshot.values()) == [4]
    assert info.class_pixel_fractions == {"environment": 0.75, "field": 40 / 192, "line": 8 / 192}


def test_only_rejects_leave_no_fractions_of_nothing(
    tmp_path: Path, make_record: Callable, palette: dict
) -> None:
    commit(tmp_path, to_table([make_record("a", accepted=False, reject_reason="flat")], palette=palette))
    assert describe(tmp_path).class_pixel_fractions == {"environment": 0, "field": 0, "line": 0}


def test_no_dataset_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="There is no dataset"):
        describe(tmp_path)
