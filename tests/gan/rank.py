"""A process of tests/gan/test_distributed.py: trains every job of a folder together with the other ranks, and
leaves there what came of it.

Torchrun's variables say who it is; its only argument is the folder.
"""

import math
import pickle
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import torch
from conftest import MemoryOutputs

import gan.training_loop
from gan.conditioning import LabelSpec
from gan.config import TrainConfig
from gan.data import HostBatch
from gan.distributed import Ranks, join_ranks
from gan.health import TrainingDiverged
from gan.methods.registry import METHODS
from gan.share import Share
from gan.training_state import TrainingState


class Job(NamedTuple):
    """One run."""

    config: TrainConfig
    labels: LabelSpec
    batches: list[HostBatch]
    """Global batches, in their order."""
    stops: tuple[int, ...] = ()
    """Each time it is started, after how many steps rank 1 is told to stop; then once more, to the end."""
    is_poisoned: bool = False
    """The generators' loss is NaN on rank 1."""


def batches_of(job: Job, share: Share) -> Callable[[int], Iterator[HostBatch]]:
    """A rank's part of the batches."""
    own = share.of(job.config.batch_size)

    def stream(num_images_seen: int) -> Iterator[HostBatch]:
        for batch in job.batches[num_images_seen // job.config.batch_size :]:
            yield HostBatch(*(part if part is None else part[own] for part in batch))

    return stream


def _is_stopped(step: Iterator[int], last: float) -> bool:
    return next(step) == last


def do(job: Job, ranks: Ranks) -> dict[str, Any]:
    """What a rank has at the end of a job."""
    outputs, made, completed, error = MemoryOutputs(), [], [], None

    class Spied(TrainingState):
        def __init__(self, *arguments: Any):
            super().__init__(*arguments)
            made.append(self)

    gan.training_loop.TrainingState = Spied
    method = METHODS[job.config.method].method
    healthy = method.generator_phase

    def poisoned(self: Any, batch: Any) -> Any:
        phase = healthy(self, batch)
        return phase._replace(total=phase.total * math.nan)

    if job.is_poisoned and not ranks.is_first:
        method.generator_phase = poisoned
    try:
        for steps in (*job.stops, math.inf):
            completed.append(
                gan.training_loop.train(
                    job.config,
                    job.labels,
                    batches=batches_of(job, ranks.share),
                    preview=job.batches[0],
                    outputs=outputs,
                    should_stop=partial(_is_stopped, count(1), math.inf if ranks.is_first else steps),
                    ranks=ranks,
                )
            )
            outputs.checkpoint = ranks.from_first(lambda: outputs.checkpoint)
    except TrainingDiverged as diverged:
        error = str(diverged)
    finally:
        method.generator_phase = healthy
    return {
        "completed": completed,
        "error": error,
        "method": made[-1].method.state_dict(),
        "ema": made[-1].ema.state_dict(),
        "pool": made[-1].pool.state_dict(),
        "reports": outputs.reports,
        "snapshots": outputs.snapshots,
        "checkpoint": outputs.checkpoint,
    }


def averaged_gradients(ranks: Ranks) -> list[torch.Tensor | None]:
    """Of four weights: with a gradient on both ranks, on the first, on the second, on none."""
    weights = [torch.nn.Parameter(torch.zeros(2, 3)) for _ in range(4)]
    for place, weight in enumerate(weights):
        if place == 0 or place == ranks.share.rank + 1:
            weight.grad = torch.full((2, 3), 1.0 + ranks.share.rank)
    ranks.average_gradients(weights)
    return [weight.grad for weight in weights]


def main(folder: Path) -> None:
    jobs = pickle.loads((folder / "jobs").read_bytes())
    with join_ranks("cpu") as ranks:
        came_of_it = {name: do(Job(*job), ranks) for name, job in jobs.items()}
        came_of_it["gradients"] = averaged_gradients(ranks)
        torch.save(came_of_it, folder / f"rank-{ranks.share.rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
