"""What `benchmarks.scale` measures, each in a process of its own that imports no more than it needs.

`python -m benchmarks.scale_parts <kind> <arguments>` prints "seconds" and "peak_mb" as JSON.
"""

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

NETWORK = {"width": 16, "num_blocks": 4}


def _timed(function: Callable[[], object]) -> dict[str, float]:
    start = time.perf_counter()
    function()
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "peak_mb": _peak_mb()}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


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


def _simulated(root: Path, what: str, num_labels: int) -> dict[str, float]:
    """A stage of labels without files; their records are part of the peak."""
    from benchmarks.simulated_labels import simulated

    return _timed(simulated(root, what, num_labels))


def _images(side: int, batch: int) -> dict[str, float]:
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


def _training(side: int, batch: int) -> dict[str, float]:
    """Training steps of narrow networks on the CPU, after one that does not count."""
    import torch

    from benchmarks.materials import spec_of
    from benchmarks.training_meter import TrainingMeter
    from benchmarks.training_step import StepSize, host_batch, step_config
    from gan.config import NoiseConfig

    size = StepSize(size_px=side, batch_size=batch, **NETWORK)
    host = host_batch(side, batch)
    meter = TrainingMeter(iter(lambda: host, None), size.num_rounds, size.steps_per_round)
    meter.run(step_config(size, torch.device("cpu")), spec_of(NoiseConfig()), host_batch(side, 1))
    return {"seconds": statistics.median(meter.seconds) / batch, "peak_mb": _peak_mb()}


if __name__ == "__main__":
    kind, *arguments = sys.argv[1:]
    measure = {
        "stage": lambda root, stage: _stage(Path(root), stage),
        "simulated": lambda root, what, num: _simulated(Path(root), what, int(num)),
        "images": lambda side, batch: _images(int(side), int(batch)),
        "training": lambda side, batch: _training(int(side), int(batch)),
    }[kind]
    print(json.dumps(measure(*arguments)))
