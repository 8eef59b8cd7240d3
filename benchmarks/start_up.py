"""Benchmark: what commands that need no torch take from their start to their end, beside importing torch.

Each runs in processes of its own, all of them in turn, started by a small process: at its start a process has
the peak memory of the one that started it. Where pandas is installed pyarrow imports it at its first array.
The project does not depend on it: commands are measured without it, and those that read a table with it, too.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.manifest_scale import made_up_rows
from benchmarks.rows import Row
from manifests.commit import commit

__all__ = ["ENTRY", "measure_process", "rows", "run"]

ROOT = Path(__file__).parents[1]
NUM_RUNS = 5
NUM_SAMPLES = 100
COMMANDS = {
    "seg2real --help": ["--help"],
    "seg2real info DATASET": ["info", "DATASET"],
    "seg2real verify DATASET": ["verify", "DATASET"],
    "seg2real scenes --help": ["scenes", "--help"],
}
"""By name: the arguments."""
WITH_PANDAS = ", pandas installed"
HEAVY = ("torch", "prefect")
"""What such a command does not import."""
IMPORT_TORCH = "python -c 'import torch'"
ENTRY = "from flows.cli import main; main()"
LAUNCH = """
import json, os, sys, time
nothing = os.open(os.devnull, os.O_RDWR)
start = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[
    (os.POSIX_SPAWN_DUP2, nothing, 1), (os.POSIX_SPAWN_DUP2, nothing, 2)])
_, status, usage = os.wait4(child, 0)
print(json.dumps({
    "seconds": time.perf_counter() - start,
    "cpu_seconds": usage.ru_utime + usage.ru_stime,
    "peak_mib": usage.ru_maxrss / 1024,
    "exit_code": os.waitstatus_to_exitcode(status),
}))
"""
LOOK = f"""
import atexit, json, sys
atexit.register(lambda: print(json.dumps(sorted({set(HEAVY)!r} & sys.modules.keys())), file=sys.stderr))
"""


def run(smoke: bool = False) -> dict[str, Any]:
    """Measure all.

    Args:
        smoke: each runs once, and torch is not imported.

    Returns:
        By command, "seconds", "cpu_seconds", "peak_mib" and "exit_code" of each run, and "heavy_imports".
    """
    with tempfile.TemporaryDirectory(prefix="bench-start-up-") as folder:
        dataset = Path(folder) / "dataset"
        _publish(dataset)
        commands = {
            name: [sys.executable, "-c", ENTRY, *(str(dataset) if a == "DATASET" else a for a in arguments)]
            for name, arguments in COMMANDS.items()
        }
        heavy = {name: _heavy_imports(command) for name, command in commands.items()}
        if not smoke:
            commands[IMPORT_TORCH] = [sys.executable, "-c", "import torch"]
        if find_spec("pandas"):
            commands |= {f"{name}{WITH_PANDAS}": commands[name] for name in COMMANDS if "DATASET" in name}
        # As it is once installed: bytecode is kept, which the first run of each leaves.
        kept = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(Path(folder) / "bytecode")}
        without = kept | {"PYTHONPATH": str(_without_pandas(Path(folder)))}
        environments = {name: kept if name.endswith(WITH_PANDAS) else without for name in commands}
        if not smoke:
            _in_turn(commands, 1, environments)
        return _in_turn(commands, 1 if smoke else NUM_RUNS, environments) | {"heavy_imports": heavy}


def rows(found: dict[str, Any]) -> list[Row]:
    """B13."""
    made, cpu = [], found["cpu_seconds"]
    for kind, unit, goal in (("seconds", "s", 0.6), ("peak_mib", "MiB", 120)):
        made += [
            Row(
                id="B13",
                what=f"{name}: {'wall clock' if kind == 'seconds' else 'peak memory'}",
                value=statistics.median(taken),
                unit=unit,
                goal=goal if name in COMMANDS else None,
                is_less_better=True,
                note=f"CPU {statistics.median(cpu[name]):.2f} s" if kind == "seconds" else "",
            )
            for name, taken in found[kind].items()
        ]
    return made


def _publish(dataset: Path) -> None:
    """A dataset whose files are there with their sizes, so that a check finds no fault."""
    table = made_up_rows(0, NUM_SAMPLES)
    commit(dataset, table)
    for row in table.select(["image_file_name", "label_file_name", "image_bytes", "label_bytes"]).to_pylist():
        for kind in ("image", "label"):
            path = dataset / row[f"{kind}_file_name"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(row[f"{kind}_bytes"]))


def measure_process(command: Sequence[str], environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Run a command, what it says thrown away.

    Args:
        command: with the program's full path.
        environment: added to that of this process.

    Returns:
        "seconds", "cpu_seconds", "peak_mib" and "exit_code".
    """
    launch = [sys.executable, "-I", "-S", "-c", LAUNCH, *command]
    variables = os.environ | (environment or {})
    done = subprocess.run(launch, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def _without_pandas(folder: Path) -> Path:
    """A folder in which Python finds, before any other, a pandas that cannot be imported."""
    path = folder / "without" / "pandas.py"
    path.parent.mkdir()
    path.write_text("raise ImportError('left out')\n")
    return path.parent


def _in_turn(
    commands: dict[str, list[str]], num_runs: int, environments: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Of each run of each command, by kind and command."""
    found: dict[str, Any] = {kind: {} for kind in ("seconds", "cpu_seconds", "peak_mib", "exit_code")}
    for name in [*commands] * num_runs:
        for kind, value in measure_process(commands[name], environments[name]).items():
            found[kind].setdefault(name, []).append(value)
    return found


def _heavy_imports(command: Sequence[str]) -> list[str]:
    """What of HEAVY a command has imported when it ends."""
    python, _, entry, *arguments = command
    looking = [python, "-c", f"{LOOK}{entry}", *arguments]
    done = subprocess.run(looking, cwd=ROOT, capture_output=True, text=True)
    return json.loads(done.stderr.splitlines()[-1])
