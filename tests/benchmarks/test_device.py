"""The GPU's benchmark measures nothing without one; its measuring is tried on the CPU, at a small size."""

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
import torch

from benchmarks import device

BARE = ("torch", "torchvision", "opencv-python-headless", "opencv-python", "numpy", "pyarrow")
"""Packages that a bare GPU machine has."""
OWN = ("benchmarks", "flows", "gan", "manifests", "pipeline")
CARRIED = ("pydantic", "safetensors", "pyyaml", "tqdm")
"""What is carried there."""
MEASURE = """
import json, sys
sys.modules |= dict.fromkeys({missing!r})  # importing one of them fails
import torch
from benchmarks.device import measure
torch.set_num_threads(1)
found = measure(torch.device("cpu"), smoke=True)
print(json.dumps(found))
"""


def _missing() -> list[str]:
    """Modules that a bare machine lacks: those of no package above, nor of one that these need."""
    there, new = set(), {*BARE, *CARRIED}
    while new:
        there |= new
        needed = {line for name in new for line in _requirements(name) if "extra ==" not in line}
        new = {re.split(r"[^\w.-]", line)[0].lower().replace("_", "-") for line in needed} - there
    return [
        module
        for module, packages in packages_distributions().items()
        if not there & {name.lower().replace("_", "-") for name in packages}
        if module.isidentifier() and module not in (*OWN, "pandas")  # pyarrow asks whether it is there
    ]


def _requirements(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:  # of another system
        return []


def _python(*arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, *arguments], cwd=Path(__file__).parents[2], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def found() -> dict:
    return json.loads(_python("-c", MEASURE.format(missing=_missing())).splitlines()[-1])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_gpu_nothing_is_measured(tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    _python("-m", "benchmarks.runner", "device", "--here", str(out), "--smoke")
    found = json.loads(out.read_text())
    assert found == {"device": None}
    rows = device.rows(found)
    assert {row.id for row in rows} == {"B7", "B8", "B9", "B10"}
    assert all(row.value is None and row.note == "no CUDA device" for row in rows)
    assert all(row.goal for row in rows if row.unit != "MiB")


def test_all_is_measured_on_a_device_without_what_a_bare_machine_lacks(found: dict) -> None:
    assert all((row.value is None) == (row.unit == "MiB") for row in device.rows(found))  # no GPU, no peak
    assert found["generation"]["num_images"] == device.SMOKE.num_labels


def test_both_draw_the_same_pictures(found: dict) -> None:
    """Once both have been JPEGs; bfloat16, where there is any, moves some of their levels."""
    has_bf16 = found["training_alone"]["computes_in_bf16"]
    assert found["generation"]["mean_levels"] < (4 if has_bf16 else 0.1)


def test_both_take_the_same_steps(found: dict) -> None:
    losses, alone = found["training_alone"]["losses"], found["training_alone"]
    rel = 0.02 if alone["computes_in_bf16"] else 1e-3
    assert losses["own"] == pytest.approx(losses["peer"], rel=rel)
