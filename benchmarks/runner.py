"""Runs benchmarks, each in a process of its own, and puts what they find into one table and one JSON.

A benchmark is a module with `run(smoke)`, which measures and returns plain values for JSON, and with
`rows(found)`, which makes rows of them.
"""

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.rows import Row

__all__ = ["BENCHMARKS", "BenchmarkFailed", "machine", "run_benchmarks"]

BENCHMARKS = {
    "preprocessing": "saturation noise and attention masks, beside the usual NumPy and OpenCV way",
    "generator": "a generator's forward pass, beside the usual PyTorch way",
    "training_step": "a training step, beside the usual PyTorch way",
    "host_pipeline": "all of a generation but its networks, beside the usual PIL way",
    "whole_generate": "a whole process that draws images, beside the usual script",
    "loader": "loading a dataset, beside a PIL loader and bare decoding",
    "manifest_writer": "writing a dataset's table",
    "start_up": "commands that need no torch",
    "upkeep": "checkpoints and deterministic training, beside training without",
    "scale": "how time and memory grow with labels and with images' sizes",
    "device": "generation and training on a GPU",
}
"""Name of the module -> what it measures."""

PACKAGES = ("numpy", "opencv-python", "pillow", "pyarrow", "torch", "torchvision")


class BenchmarkFailed(RuntimeError):
    """A benchmark ended with an error, which it has printed."""


def run_benchmarks(names: Sequence[str], *, smoke: bool = False) -> tuple[list[Row], dict[str, Any]]:
    """Run benchmarks one after the other.

    Args:
        names: of `BENCHMARKS`.
        smoke: small sizes, whose figures mean nothing: to see that everything works.

    Returns:
        The rows, and for JSON: "machine", "rows", and by name what each benchmark found.

    Raises:
        BenchmarkFailed: one of them ended with an error.
    """
    rows, found = [], {}
    about = machine()
    for name in names:
        found[name] = _run_apart(name, smoke)
        rows += importlib.import_module(f"benchmarks.{name}").rows(found[name])
    return rows, {"machine": about, "smoke": smoke, "rows": [row.as_plain() for row in rows], **found}


def machine() -> dict[str, Any]:
    """What the figures were measured on, for JSON."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()} {_processor()}".strip(),
        "num_cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """The model's name, where the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _run_apart(name: str, smoke: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="seg2real-bench-") as folder:
        out = Path(folder) / "found.json"
        command = [sys.executable, "-m", "benchmarks.runner", name, str(out), *(["--smoke"] if smoke else [])]
        done = subprocess.run(command, cwd=Path(__file__).parents[1])
        if done.returncode != 0:
            raise BenchmarkFailed(f"The benchmark '{name}' ended with exit code {done.returncode}.")
        return json.loads(out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run one benchmark in this process.")
    parser.add_argument("name", choices=BENCHMARKS)
    parser.add_argument("out", type=Path, help="where the JSON goes")
    parser.add_argument("--smoke", action="store_true")
    arguments = parser.parse_args()
    result = importlib.import_module(f"benchmarks.{arguments.name}").run(smoke=arguments.smoke)
    arguments.out.write_text(json.dumps(result), encoding="utf-8")
