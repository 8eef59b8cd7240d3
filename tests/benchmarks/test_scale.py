"""The benchmark of growth runs at a small size, and draws every label."""

from collections.abc import Callable

from benchmarks.scale import STAGES, rows


def test_it_runs(run_smoke: Callable[[str], dict]) -> None:
    found = run_smoke("scale")
    assert all(set(stages) == set(STAGES) for stages in found["labels"].values())
    stages = (*found["labels"]["20"].values(), *found["simulated"]["200"].values())
    for measured in (*stages, *found["images"].values(), *found["training"].values()):
        assert measured["seconds"] > 0 and measured["peak_mb"] > 0
    for num, stages in found["labels"].items():
        assert stages["generate"]["num_drawn"] == int(num)
    assert [measured["num_drawn"] for measured in found["workers"].values()] == [8]
    assert [measured["num_drawn"] for measured in found["shards"].values()] == [8]
    assert {row.what for row in rows(found)} >= {
        "generate: memory for each label",
        "supersede, 200 simulated labels",
        "train 32 px, batch 1",
    }
