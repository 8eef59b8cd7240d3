"""Rows come by split and in order, each once, however large the steps are."""

import pytest

from manifests.exports import rows
from manifests.exports.rows import chosen, count_rows
from manifests.exports.sample import Facts


@pytest.mark.parametrize("rows_per_step", [1, 2, 1_024])
def test_rows_are_chosen_once_and_in_order(
    published, monkeypatch: pytest.MonkeyPatch, rows_per_step: int
) -> None:
    monkeypatch.setattr(rows, "_ROWS_PER_STEP", rows_per_step)
    manifest, facts = published["png"].manifest, Facts()
    num_rows = count_rows(manifest, ["test", "train"], accepted_only=True, facts=facts)
    assert num_rows == {"train": 2, "test": 1} and list(num_rows) == ["train", "test"]
    assert facts.skipped == {"rejected by the quality gates": 1}
    found = list(
        chosen(manifest.table, num_rows, accepted_only=True, why_not=lambda record: None, facts=facts)
    )
    wanted = [record for record in published["png"].records if record.split != "val"]
    assert [item.record for item in found] == wanted
    assert [(item.number, item.num_seen) for item in found] == [(0, 1), (1, 2), (0, 3)]


def test_rows_with_a_reason_get_no_number_and_are_counted(published) -> None:
    manifest, facts = published["png"].manifest, Facts()
    found = list(
        chosen(
            manifest.table,
            ["train"],
            accepted_only=False,
            why_not=lambda record: None if record.camera else "no camera",
            facts=facts,
        )
    )
    assert [(item.number, item.num_seen) for item in found] == [(0, 1), (1, 3)]
    assert facts.skipped == {"no camera": 1}
