"""The commands that need no torch start without it, and without Prefect."""

from collections.abc import Callable
from typing import Any

from benchmarks.start_up import COMMANDS, rows


def test_commands_end_well_and_import_nothing_heavy(run_smoke: Callable[[str], dict[str, Any]]) -> None:
    found = run_smoke("start_up")
    assert found["heavy_imports"] == {name: [] for name in COMMANDS}
    assert found["exit_code"] == {name: [0] for name in COMMANDS}
    made = rows(found)
    assert [row.goal for row in made] == [0.6] * len(COMMANDS) + [120] * len(COMMANDS)
    assert all(row.id == "B13" and row.value > 0 and row.is_less_better for row in made)
