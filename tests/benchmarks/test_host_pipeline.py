"""The host's benchmark draws every label, and both of its ways make the same pictures."""

from collections.abc import Callable
from typing import Any

from benchmarks.host_pipeline import OURS, SMOKE_LABELS, rows


def test_ours_and_the_usual_way_make_the_same(run_smoke: Callable[[str], dict[str, Any]]) -> None:
    found = run_smoke("host_pipeline")
    assert found["num_images"] == dict.fromkeys(OURS, SMOKE_LABELS)
    assert found["label_maps_wrong"] == dict.fromkeys(OURS, 0)
    assert found["max_levels_apart"] <= 1  # one rounds, the other cuts off
    assert found["bytes_per_image"]["JPEG q95"] < found["bytes_per_image"]["PNG"]
    made = rows(found)
    assert [row.goal for row in made if row.goal] == [550, 300, 40, 8]
    assert len(made) == 3 * len(OURS) and all(row.id == "B5" and row.value > 0 for row in made)
