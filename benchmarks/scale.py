"""Benchmark: how time and memory grow with the number of labels, and with the size and number of images.

Every measurement runs in a process of its own, which gives it a peak of memory of its own. By labels, by
workers and by shards, a null generator draws, so that what is measured is all but the network. By images, a
narrow network draws and trains; a CPU draws one by one, whatever the batch.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from benchmarks.rows import Row

__all__ = ["LABELS", "SIZES", "rows", "run"]

LABELS = (100, 1_000, 10_000)
"""Labels on the disk."""
SIMULATED = (10_000, 100_000, 1_000_000)
"""Labels without files, for what only their records are needed for."""
SIZES = ((256, 1), (256, 4), (512, 1), (1024, 1))
"""Width and height in px, and batch."""
TRAINED = ((128, 1), (256, 1), (256, 4), (512, 1))
"""Width and height in px, and batch, of a training step."""
WORKERS = (1, 2, 4)
"""Threads that read, encode and write, for `NUM_DRAWN` labels in two shards."""
NUM_DRAWN = 400
SHARDS = (1, 8)
"""Shards of `SHARD_LABELS` labels, by one worker."""
SHARD_LABELS = 100
DRAWN_PX = (256, 256)
SIMULATED_STAGES = ("plan", "publish", "supersede")
STAGES = ("check", "check again", "plan", "generate", "publish")
LABEL_PX = (48, 32)
PALETTE = Path(__file__).parents[1] / "configs" / "palettes" / "nubots.yaml"


def run(*, smoke: bool = False) -> dict[str, Any]:
    """Measure all; the answer is fit for JSON.

    Args:
        smoke: small numbers, whose figures mean nothing.

    Returns:
        "labels": number -> stage -> "seconds" and "peak_mb"; "simulated": the same for labels without files;
        "workers" and "shards": number -> the same and "num_drawn"; "images": "<px> px, batch <n>" ->
        "seconds" for an image, "peak_mb"; "training": the same for an image of a step.
    """
    labels, simulated, sizes, trained, workers, shards = LABELS, SIMULATED, SIZES, TRAINED, WORKERS, SHARDS
    num_drawn, shard_labels = NUM_DRAWN, SHARD_LABELS
    if smoke:
        labels, simulated, sizes, trained, workers, shards = (
            (5, 20),
            (50, 200),
            ((32, 2),),
            ((32, 1),),
            (2,),
            (2,),
        )
        num_drawn, shard_labels = 8, 4
    kinds = ("labels", "simulated", "workers", "shards", "images", "training")
    found: dict[str, Any] = {kind: {} for kind in kinds}
    with tempfile.TemporaryDirectory(prefix="seg2real-scale-") as folder:
        for num in labels:
            root = Path(folder) / str(num)
            _make_run(root, num)
            found["labels"][str(num)] = {stage: _apart("stage", root, stage) for stage in STAGES}
        for num in workers:
            root = Path(folder) / f"workers-{num}"
            _make_run(root, num_drawn, DRAWN_PX, num_workers=num, shard_labels=num_drawn // 2)
            found["workers"][str(num)] = _apart("stage", root, "generate")
        for num in shards:
            root = Path(folder) / f"shards-{num}"
            _make_run(root, num * shard_labels, DRAWN_PX, shard_labels=shard_labels)
            found["shards"][str(num)] = _apart("stage", root, "generate")
        for num in simulated:
            root = Path(folder) / f"simulated-{num}"
            root.mkdir()
            found["simulated"][str(num)] = {
                stage: _apart("simulated", root, stage, num) for stage in SIMULATED_STAGES
            }
        for side, batch in sizes:
            found["images"][f"{side} px, batch {batch}"] = _apart("images", side, batch)
        for side, batch in trained:
            found["training"][f"{side} px, batch {batch}"] = _apart("training", side, batch)
    return found


def rows(found: dict[str, Any]) -> list[Row]:
    """The growth of the stages' time and memory from the least to the most labels."""
    few, *_, many = found["labels"]
    made = []
    for stage in STAGES:
        least, most = found["labels"][few][stage], found["labels"][many][stage]
        each = (most["seconds"] - least["seconds"]) / (int(many) - int(few))
        more = (most["peak_mb"] - least["peak_mb"]) / (int(many) - int(few)) * 1e3
        made += [
            Row(id="size", what=f"{stage}: time for each label", value=each * 1e3, unit="ms"),
            Row(id="size", what=f"{stage}: memory for each label", value=more, unit="kB"),
            Row(
                id="size",
                what=f"{stage}, {int(many):,} labels: peak memory",
                value=most["peak_mb"],
                unit="MB",
            ),
        ]
    *_, many = found["simulated"]
    for stage, most in found["simulated"][many].items():
        what = f"{stage}, {int(many):,} simulated labels"
        made.append(Row(id="size", what=what, value=most["seconds"], unit="s"))
        made.append(Row(id="size", what=f"{what}: peak memory", value=most["peak_mb"], unit="MB"))
    for num, measured in found["workers"].items():
        speed = measured["num_drawn"] / measured["seconds"]
        made.append(Row(id="size", what=f"generate, {num} workers", value=speed, unit="images/s"))
    for num, measured in found["shards"].items():
        what = f"generate, {num} shards of as many labels: peak memory"
        made.append(Row(id="size", what=what, value=measured["peak_mb"], unit="MB"))
    for what, kind in (("draw", "images"), ("train", "training")):
        for name, measured in found[kind].items():
            made += [
                Row(id="size", what=f"{what} {name}", value=measured["seconds"], unit="s/image"),
                Row(id="size", what=f"{what} {name}: peak memory", value=measured["peak_mb"], unit="MB"),
            ]
    return made


def _make_run(root: Path, num_labels: int, label_px: tuple[int, int] = LABEL_PX, **generate: int) -> None:
    """A config and labels that all differ.

    Args:
        root: of both.
        num_labels: of them.
        label_px: their width and height.
        **generate: settings of that section; one worker if left out.
    """
    folder = root / "set" / "segTrain"
    folder.mkdir(parents=True)
    width, height = label_px
    for number in range(num_labels):
        label = np.zeros((height, width, 3), np.uint8)
        label[height // 2 :] = (0, 255, 0)  # field
        bits = np.array([number >> bit & 1 for bit in range(width)], bool)
        label[-1, bits] = (255, 255, 255)  # line
        cv2.imwrite(str(folder / f"label_{number:07d}.png"), label[..., ::-1])
    config = {
        "name": "scale",
        "palette": str(PALETTE),
        "run_dir": "run",
        "output": "out",
        "sources": {"labels": ["set"]},
        "train": {"width": width, "height": height, "device": "cpu"},
        "generate": {"num_workers": 1} | generate,
    }
    (root / "scale.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")


def _apart(kind: str, *arguments: object) -> dict[str, float]:
    """One measurement of `benchmarks.scale_parts`, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scale_parts", kind, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])
