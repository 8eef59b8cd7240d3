"""The benchmark of growth runs at a small size, and draws every label."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.scale import STAGES, rows

ROOT = Path(__file__).parents[2]


def test_it_runs(tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    command = [sys.executable, "-m", "benchmarks.runner", "scale", str(out), "--smoke"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(out.read_text())
    assert all(set(stages) == set(STAGES) for stages in found["labels"].values())
    for measured in (*found["labels"]["20"].values(), *found["records"].values(), *found["images"].values()):
        assert measured["seconds"] > 0 and measured["peak_mb"] > 0
    assert {row.what for row in rows(found)} >= {"generate: memory for each label", "plan of 200 labels"}
