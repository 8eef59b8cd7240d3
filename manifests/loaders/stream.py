"""A selection as a torch IterableDataset, shared out over ranks and DataLoader workers."""

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import IterableDataset, get_worker_info

from manifests.loaders.pairs import Transforms, as_tensors
from manifests.loaders.samplers import EpochSampler, Sampler
from manifests.loaders.selection import Selection

__all__ = ["SampleStream"]


class SampleStream(IterableDataset):
    """Images and their masks as they come in an epoch: each sample once, over all ranks and workers together.

    With the DataLoader's own batch size, batches are the same ones in the same order whatever the number of
    workers: worker w of W reads every W-th batch, which is the order that DataLoader asks them in.

    Args:
        selection: what is read.
        batch_size: that of the DataLoader.
        sampler: which samples, in which order; None = this rank's share of all, shuffled, with seed 0.
        transforms: called with the image and the mask; returns both.
    """

    def __init__(
        self,
        selection: Selection,
        *,
        batch_size: int,
        sampler: Sampler | None = None,
        transforms: Transforms | None = None,
    ):
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; 1 or more was wanted.")
        self.selection = selection
        self.transforms = transforms
        self._batch_size = batch_size
        # The share is found out here: a spawned worker knows nothing of torch.distributed.
        self._sampler = EpochSampler(selection) if sampler is None else sampler
        # Workers that live on from epoch to epoch see what is set here.
        self._position = torch.zeros(2, dtype=torch.int64).share_memory_()

    def set_epoch(self, epoch: int, num_samples_seen: int = 0) -> None:
        """Choose the epoch that the next iteration goes through.

        Args:
            epoch: 0 or more.
            num_samples_seen: to resume an epoch: how many of its samples this rank has had; they are skipped.
                The number of workers may be another than before.
        """
        self._position.copy_(torch.tensor([epoch, num_samples_seen]))

    def __len__(self) -> int:
        """This rank's samples of the epoch that are left."""
        return max(len(self._sampler) - int(self._position[1]), 0)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        epoch, num_samples_seen = self._position.tolist()
        self._sampler.set_epoch(epoch)
        order = list(self._sampler)[num_samples_seen:]
        worker = get_worker_info()
        worker_id, num_workers = (worker.id, worker.num_workers) if worker else (0, 1)
        first, step = worker_id * self._batch_size, num_workers * self._batch_size
        for start in range(first, len(order), step):
            for pair in self.selection.read_all(order[start : start + self._batch_size]):
                yield as_tensors(pair, self.transforms)
