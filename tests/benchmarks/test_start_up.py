"""The commands that need no torch start without it, and without Prefect."""

from collections.abc import Callable
from typing import Any

from benchmarks.start_up import COMMANDS, WITH_PANDAS, rows


def test_commands_end_well_and_import_nothing_heavy(run_smoke: Callable[[str], dict[str, Any]]) -> None:
    found = run_smoke("start_up")
    assert found["heavy_imports"] == {name: [] for name in COMMANDS}
    assert set(map(tuple, found["exit_code"].values())) == {(0,)}
    made = rows(found)
    with_goal = [row for row in made if WITH_PANDAS not in row.what]
    assert [row.goal for row in with_goal] == [0.6] * len(COMMANDS) + [120] * len(COMMANDS)
    assert all(row.goal is None for row in made if row not in with_goal)
    assert all(row.id == "B13" and row.value > 0 and row.is_less_better for row in made)
