"""What the tests of benchmarks share: a run of one, small and in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def run_smoke(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """Run a benchmark by its name in its small size, as the runner does, and read what it found."""

    def run(name: str) -> dict[str, Any]:
        out = tmp_path_factory.mktemp(name) / "found.json"
        command = [sys.executable, "-m", "benchmarks.runner", name, "--here", str(out), "--smoke"]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        return json.loads(out.read_text(encoding="utf-8"))

    return run
