"""The fast path: whole batches of bytes, decoded by threads."""

import os
from collections.abc import Iterator

import numpy as np

from manifests.loaders.batch_memory import Batch, BatchMemory
from manifests.loaders.read_ahead import read_ahead
from manifests.loaders.samplers import EpochSampler, Sampler
from manifests.loaders.selection import Selection

__all__ = ["BatchReader"]


class BatchReader:
    """Batches of an epoch, the same ones in the same order whatever the number of threads.

    Each iteration goes through one epoch, and the next through the one after it. Samples of different sizes
    never meet in a batch: each size fills batches of its own, in the order of the sampler, and a batch comes
    when its last sample would have. At most `num_ahead` batches wait beside the one that the caller has.

    Args:
        selection: what is read.
        batch_size: samples per batch; the last batch of each size may have fewer.
        sampler: which samples, in which order; None = every one, shuffled, with seed 0.
        drop_last: leave out batches that are not full.
        num_threads: how many threads read and decode; 0 = one per core. From an object store, where most of
            the time is waiting, take several times as many.
        num_ahead: batches that are read ahead.
    """

    def __init__(
        self,
        selection: Selection,
        *,
        batch_size: int,
        sampler: Sampler | None = None,
        drop_last: bool = False,
        num_threads: int = 0,
        num_ahead: int = 2,
    ):
        for name, value, least in (("batch_size", batch_size, 1), ("num_ahead", num_ahead, 1)):
            if value < least:
                raise ValueError(f"{name} is {value}; {least} or more was wanted.")
        self.selection = selection
        self._batch_size = batch_size
        self._sampler = EpochSampler(selection) if sampler is None else sampler
        self._drop_last = drop_last
        self._num_threads = num_threads or os.cpu_count() or 1
        self._num_ahead = num_ahead
        self._memory = BatchMemory()
        self._epoch = 0
        self._num_batches = 0
        self._num_skipped = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration goes through, from its start."""
        self._epoch, self._num_batches, self._num_skipped = epoch, 0, 0

    def state_dict(self) -> dict[str, int]:
        """Where the reading is: the epoch, and how many of its batches the caller has got."""
        return {"epoch": self._epoch, "num_batches": self._num_batches}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Let the next iteration go on where `state_dict` was asked; of the same selection and settings."""
        self._epoch, self._num_batches = state["epoch"], state["num_batches"]
        self._num_skipped = state["num_batches"]

    def __len__(self) -> int:
        """Batches of the epoch that comes next, those that a resumed iteration skips included."""
        return len(self._plan())

    def __iter__(self) -> Iterator[Batch]:
        plan = self._plan()
        num_skipped, self._num_skipped = self._num_skipped, 0
        self._num_batches = num_skipped
        for batch in read_ahead(
            self.selection,
            plan[num_skipped:],
            num_threads=self._num_threads,
            num_ahead=self._num_ahead,
            memory=self._memory,
        ):
            self._num_batches += 1
            yield batch
            del batch  # while the next one is waited for, this one's memory may be used again
        self.set_epoch(self._epoch + 1)

    def _plan(self) -> list[np.ndarray]:
        """The samples of each batch of the epoch."""
        self._sampler.set_epoch(self._epoch)
        order = np.fromiter(self._sampler, np.int64)
        plan = _batches_of_one_size(order, self.selection.sizes[order], self._batch_size)
        return [indices for indices in plan if len(indices) == self._batch_size or not self._drop_last]


def _batches_of_one_size(order: np.ndarray, sizes: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Samples int64 [N] with sizes [N, 2] cut into batches; a batch comes where its last sample stands."""
    _, size_numbers = np.unique(sizes[:, 0].astype(np.int64) << 32 | sizes[:, 1], return_inverse=True)
    by_size = np.argsort(size_numbers, kind="stable")
    starts = np.flatnonzero(np.diff(size_numbers[by_size], prepend=-1))
    places = [
        group[start : start + batch_size]
        for group in np.split(by_size, starts[1:])
        for start in range(0, len(group), batch_size)
    ]
    return [order[batch] for batch in sorted(places, key=lambda batch: batch[-1])]
