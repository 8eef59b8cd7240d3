"""Several processes that train one method: each computes the gradients of its share of the global batch, and
all take the same step with the average.

Gradients are averaged by hand after `backward`, over one flat buffer, and not by DistributedDataParallel:
our phases call several networks in orders of their own, some of them frozen, and leave some parameters
without gradient, which its hooks on one wrapped forward would have to be told of case by case. So this is
right for every method, and costs that communication does not overlap with `backward` (1 ms for the 28 million
weights of a CycleGAN between GPUs that are linked, by arithmetic).

The average over ranks of means over their images is the mean over the global batch, and so are all losses
(`gan.losses`). With background "photo" a label takes the background of the next photograph of its own rank.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from gan.device import resolve_device
from gan.share import WHOLE, Share

__all__ = ["ALONE", "Ranks", "RanksDisagree", "join_ranks"]

PATIENCE = timedelta(hours=2)  # ranks wait for the first one, which draws previews and writes files

T = TypeVar("T")


class RanksDisagree(RuntimeError):
    """Processes that train together are not at the same place."""


class Ranks:
    """The processes that train together. Alone, everything is given back as it is.

    Every method is to be called by all ranks, in the same order.

    Args:
        share: this rank's part.
        local_index: its number on this machine, which is that of its GPU; None = whichever the config names.
    """

    def __init__(self, share: Share = WHOLE, local_index: int | None = None):
        self.share = share
        self.local_index = local_index
        self.num = share.num_ranks
        self.is_first = share.rank == 0

    @torch.no_grad()
    def average_gradients(self, weights: Sequence[nn.Parameter]) -> None:
        """Give every weight the mean gradient of all ranks. One without gradient on all of them keeps None;
        one without on some of them counts as 0 there."""
        if self.num == 1:
            return
        # The device does not wait for this one: it is between the hosts.
        has_gradient = torch.tensor([weight.grad is not None for weight in weights], dtype=torch.uint8)
        dist.all_reduce(has_gradient, dist.ReduceOp.MAX)
        shared = [weight for weight, has in zip(weights, has_gradient.tolist(), strict=True) if has]
        if not shared:
            return
        gradients = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in shared]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        parts = (flat / self.num).split([gradient.numel() for gradient in gradients])
        torch._foreach_copy_(gradients, [part.view_as(g) for part, g in zip(parts, gradients, strict=True)])
        for weight, gradient in zip(shared, gradients, strict=True):
            weight.grad = gradient

    def averaged(self, measures: dict[str, Tensor]) -> dict[str, Tensor]:
        """The mean of each scalar over the ranks. A NaN of one rank becomes everybody's."""
        if self.num == 1 or not measures:
            return measures
        means = torch.stack([value.detach().double() for value in measures.values()])
        dist.all_reduce(means)
        return dict(zip(measures, means / self.num, strict=True))

    def highest(self, number: int) -> int:
        """The highest of the ranks' numbers; of 0 and 1, whether any rank says so."""
        if self.num == 1:
            return number
        highest = torch.tensor(int(number))
        dist.all_reduce(highest, dist.ReduceOp.MAX)
        return int(highest)

    def require_equal(self, number: int, what: str) -> None:
        """Go on only if the ranks agree on a number.

        Raises:
            RanksDisagree: they do not.
        """
        highest, lowest = self.highest(number), -self.highest(-number)
        if highest != lowest:
            raise RanksDisagree(
                f"The processes that train together found {lowest} to {highest} {what}; give all of them the "
                "same run_dir, on a file system that they share."
            )

    def gathered(self, value: T) -> list[T]:
        """The ranks' values, of which tensors move to the CPU; complete on the first rank alone."""
        if self.num == 1:
            return [value]
        values = [None] * self.num if self.is_first else None
        dist.gather_object(_on_cpu(value), values)
        return values or []

    def from_first(self, make: Callable[[], T]) -> T:
        """What the first rank makes; the others wait for it."""
        if self.num == 1:
            return make()
        made = [make() if self.is_first else None]
        dist.broadcast_object_list(made)
        return made[0]


ALONE = Ranks()


def _on_cpu(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _on_cpu(part) for key, part in value.items()}
    return value.cpu() if isinstance(value, Tensor) else value


@contextmanager
def join_ranks(device: str) -> Iterator[Ranks]:
    """Meet the other processes that torchrun started, for the length of the block; `ALONE` where there are
    none.

    Args:
        device: as in a config. With "auto" or "cuda" each rank takes the GPU of its own number.

    Raises:
        DeviceError: there is no such device, or there are fewer GPUs than ranks.
    """
    share = Share.of_environment()
    if share.num_ranks == 1:
        yield ALONE
        return
    ranks = Ranks(share, local_index=int(os.environ.get("LOCAL_RANK", share.rank)))
    if resolve_device(device, ranks.local_index).type == "cuda":
        torch.cuda.set_device(ranks.local_index)
        backend = "cpu:gloo,cuda:nccl"
    else:
        _divide_threads()
        backend = "gloo"
    dist.init_process_group(backend, timeout=PATIENCE)
    yield ranks
    dist.destroy_process_group()  # not after an error, when others may wait for what will never come


def _divide_threads() -> None:
    if "OMP_NUM_THREADS" not in os.environ:
        num_here = int(os.environ.get("LOCAL_WORLD_SIZE", os.environ["WORLD_SIZE"]))
        torch.set_num_threads(max(1, torch.get_num_threads() // num_here))
