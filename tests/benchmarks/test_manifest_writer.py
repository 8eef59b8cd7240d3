"""The table that is measured holds the rows that were made."""

from collections.abc import Callable
from typing import Any

from benchmarks.manifest_writer import SMOKE_ROWS, rows


def test_what_is_written_is_read_back(run_smoke: Callable[[str], dict[str, Any]]) -> None:
    found = run_smoke("manifest_writer")
    sizes = [str(num_rows) for num_rows in SMOKE_ROWS]
    for way in ("write", "commit"):
        assert list(found[way]) == sizes
        for figures in found[way].values():
            assert figures["num_wrong"] == 0 and 0 < figures["before_mib"] <= figures["peak_mib"]
    made = rows(found)
    assert [row.goal for row in made] == [500_000, 500_000, None, None, 1.1]
    assert all(row.id == "B12" and row.value > 0 for row in made)
