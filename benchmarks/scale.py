"""Benchmark: how time and memory grow with the number of labels, and with the size and number of images.

By labels, each stage but training runs in a process of its own, which gives it a peak of memory of its own; a
null generator draws, so that what is measured is all but the network. By workers and by shards, it draws
labels of a usual size. By images, the whole network draws; a CPU draws one by one, whatever the batch.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
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
WORKERS = (1, 2, 4)
"""Threads that read, encode and write, for `NUM_DRAWN` labels in two shards."""
NUM_DRAWN = 400
SHARDS = (1, 8)
"""Shards of `SHARD_LABELS` labels, by one worker."""
SHARD_LABELS = 100
DRAWN_PX = (256, 256)
SIMULATED_STAGES = ("plan", "publish")
STAGES = ("check", "check again", "plan", "generate", "publish")
LABEL_PX = (48, 32)
PALETTE = Path(__file__).parents[1] / "configs" / "palettes" / "nubots.yaml"
NETWORK = {"width": 16, "num_blocks": 4}


def run(*, smoke: bool = False) -> dict[str, Any]:
    """Measure all; the answer is fit for JSON.

    Args:
        smoke: small numbers, whose figures mean nothing.

    Returns:
        "labels": number -> stage -> "seconds" and "peak_mb"; "simulated": the same for labels without files;
        "workers" and "shards": number -> the same and "num_drawn"; "images": "<px> px, batch <n>" ->
        "seconds" for an image, "peak_mb".
    """
    labels, simulated, sizes, workers, shards = LABELS, SIMULATED, SIZES, WORKERS, SHARDS
    num_drawn, shard_labels = NUM_DRAWN, SHARD_LABELS
    if smoke:
        labels, simulated, sizes, workers, shards = (5, 20), (50, 200), ((32, 2),), (2,), (2,)
        num_drawn, shard_labels = 8, 4
    found: dict[str, Any] = {"labels": {}, "simulated": {}, "workers": {}, "shards": {}, "images": {}}
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
            found["simulated"][str(num)] = {
                stage: _apart("simulated", Path(folder), f"{stage} {num}") for stage in SIMULATED_STAGES
            }
        for side, batch in sizes:
            found["images"][f"{side} px, batch {batch}"] = _apart("images", Path(folder), f"{side} {batch}")
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
    for name, measured in found["images"].items():
        made.append(Row(id="size", what=f"draw {name}", value=measured["seconds"], unit="s/image"))
        made.append(Row(id="size", what=f"draw {name}: peak memory", value=measured["peak_mb"], unit="MB"))
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


def _apart(kind: str, root: Path, what: str) -> dict[str, float]:
    """One measurement, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scale", kind, str(root), what]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _timed(function: Callable[[], object]) -> dict[str, float]:
    start = time.perf_counter()
    function()
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}


def _stage(root: Path, stage: str) -> dict[str, float]:
    from pipeline.config import load_config
    from pipeline.publish import publish
    from pipeline.run import plan_stage, prepare_stage
    from pipeline.shards import SnapshotRef

    config = load_config(root / "scale.yaml")
    snapshot = SnapshotRef(root / "null.safetensors", "0" * 64)

    def check() -> Any:
        return prepare_stage(config, needs_photos=False)

    if stage.startswith("check"):
        return _timed(check)
    prepared = check()
    if stage == "plan":
        return _timed(lambda: plan_stage(config, prepared, snapshot))
    plan = plan_stage(config, prepared, snapshot)
    if stage == "publish":
        return _timed(lambda: publish(config, plan.staged, prepared.records))
    from benchmarks.null_generation import null_generation
    from pipeline.generate import ShardFiles

    generation = null_generation(config, snapshot)
    drawn: list[int] = []

    def generate() -> None:
        for shard in plan.to_do:
            done = generation.run(shard, ShardFiles.of(shard, prepared), lambda: None)
            drawn.append(done.num_samples)

    return _timed(generate) | {"num_drawn": sum(drawn)}


def _simulated(root: Path, stage: str, num_labels: int) -> dict[str, float]:
    """A stage of labels without files; their records are part of the peak."""
    from benchmarks.simulated_labels import simulated

    return _timed(simulated(root, stage, num_labels))


def _images(_root: Path, side: int, batch: int) -> dict[str, float]:
    """Draw images on the CPU by a narrow generator, after one that does not count."""
    from benchmarks.materials import made_up_label, spec_of
    from gan.conditioning import Conditioning
    from gan.config import GeneratorConfig, NoiseConfig, TrainConfig
    from gan.methods.registry import build_generators
    from gan.snapshot import Snapshot
    from gan.translator import Translator

    train = TrainConfig(width=side, height=side, device="cpu", generator=GeneratorConfig(**NETWORK))
    spec = spec_of(NoiseConfig())
    generators = build_generators(train, Conditioning(spec, train.conditioning).domain)
    translator = Translator(Snapshot.of(generators, spec, train, 0), device="cpu", precision="fp32")
    label_maps = np.stack([made_up_label(number, side) for number in range(batch)])
    noise = np.full_like(label_maps, 128)
    translator.translate(label_maps, noise)
    measured = _timed(lambda: translator.translate(label_maps, noise))
    return measured | {"seconds": measured["seconds"] / batch}


if __name__ == "__main__":
    kind, root, what = sys.argv[1:]
    measure = {
        "stage": lambda: _stage(Path(root), what),
        "simulated": lambda: _simulated(Path(root), what.split()[0], int(what.split()[1])),
        "images": lambda: _images(Path(root), *map(int, what.split())),
    }[kind]
    print(json.dumps(measure()))
