"""Runs benchmarks, each in a process of its own, and puts what they find into one table and one JSON.

A benchmark is a module with `run(smoke)`, which measures and returns plain values for JSON, and with
`rows(found)`, which makes rows of them. `python -m benchmarks.runner device --out device.json` is
`seg2real bench` where typer and Prefect are not installed.
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

from benchmarks.rows import Row, as_table
from pipeline.machine import cpu_name

__all__ = ["BENCHMARKS", "machine", "run_benchmarks", "show"]

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
    "scale": "how time and memory grow with labels, shards, workers and images' sizes",
    "device": "generation and training on a GPU",
}
"""Name of the module -> what it measures."""

PACKAGES = ("numpy", "opencv-python", "pillow", "pyarrow", "torch", "torchvision")


def run_benchmarks(names: Sequence[str], *, smoke: bool = False) -> tuple[list[Row], dict[str, Any]]:
    """Run benchmarks one after the other; one that fails, which it says itself, does not keep others from it.

    Args:
        names: of `BENCHMARKS`.
        smoke: small sizes, whose figures mean nothing: to see that everything works.

    Returns:
        The rows, and for JSON: "machine", "rows", "failed" (name -> exit code), "load" (name -> the machine's
        mean load of a minute, before and after), and by name what each benchmark found.
    """
    rows, found, failed, load = [], {}, {}, {}
    about = machine()
    for name in names:
        before = os.getloadavg()[0]
        exit_code, found_here = _run_apart(name, smoke)
        load[name] = [round(before, 2), round(os.getloadavg()[0], 2)]
        if found_here is None:
            failed[name] = exit_code
            continue
        found[name] = found_here
        rows += importlib.import_module(f"benchmarks.{name}").rows(found_here)
    plain = [row.as_plain() for row in rows]
    return rows, {"machine": about, "smoke": smoke, "rows": plain, "failed": failed, "load": load, **found}


def show(names: Sequence[str], out: Path | None, *, smoke: bool) -> bool:
    """Run benchmarks, print their table, and keep the JSON.

    Args:
        names: of `BENCHMARKS`.
        out: where the JSON goes; None = it is not kept.
        smoke: small sizes.

    Returns:
        Whether all of them ended well; those that did not are named.
    """
    rows, found = run_benchmarks(names, smoke=smoke)
    print(as_table(rows))
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(f"\nJSON: {out}")
    for name, exit_code in found["failed"].items():
        print(f"The benchmark '{name}' ended with exit code {exit_code}.", file=sys.stderr)
    return not found["failed"]


def machine() -> dict[str, Any]:
    """What the figures were measured on, for JSON."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()} {cpu_name()}",
        "num_cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _run_apart(name: str, smoke: bool) -> tuple[int, dict[str, Any] | None]:
    """The exit code, and what was found where that is 0."""
    with tempfile.TemporaryDirectory(prefix="seg2real-bench-") as folder:
        out = Path(folder) / "found.json"
        command = [sys.executable, "-m", "benchmarks.runner", name, "--here", str(out)]
        done = subprocess.run([*command, *(["--smoke"] if smoke else [])], cwd=Path(__file__).parents[1])
        found = json.loads(out.read_text(encoding="utf-8")) if done.returncode == 0 else None
        return done.returncode, found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure speed beside the usual ways.")
    parser.add_argument("names", nargs="*", help="what to measure; all if left out")
    parser.add_argument("--out", type=Path, help="where the JSON goes")
    parser.add_argument("--smoke", action="store_true", help="small sizes, to see that it works")
    parser.add_argument(
        "--here", type=Path, help="measure the first in this process, and write what it found"
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    if arguments.here is None:
        sys.exit(0 if show(arguments.names or list(BENCHMARKS), arguments.out, smoke=arguments.smoke) else 1)
    result = importlib.import_module(f"benchmarks.{arguments.names[0]}").run(smoke=arguments.smoke)
    arguments.here.write_text(json.dumps(result), encoding="utf-8")
