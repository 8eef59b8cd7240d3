"""Which samples an epoch reads, in which order, and which of them are this process's."""

import os
import sys
from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

from manifests.loaders.selection import Selection

__all__ = ["ClassBalancedSampler", "EpochSampler", "Sampler", "Share"]


class Share(NamedTuple):
    """The part of every epoch that one of several processes, its rank, reads: each `num_ranks`-th sample."""

    rank: int = 0
    num_ranks: int = 1

    @classmethod
    def of_this_process(cls) -> "Share":
        """What torch.distributed says if it has been initialised, else torchrun's variables; the whole when
        nobody says anything."""
        # Who has not imported it has not initialised it, and need not wait for the import.
        if "torch.distributed" in sys.modules:
            from torch import distributed

            if distributed.is_available() and distributed.is_initialized():
                return cls(distributed.get_rank(), distributed.get_world_size())
        return cls(int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)))


class Sampler(Protocol):
    """Positions of samples in a selection, anew for each epoch; a torch DataLoader takes one as `sampler`."""

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration goes through."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[int]: ...


class EpochSampler:
    """Every sample once per epoch, over all ranks together; the order is a function of seed and epoch.

    Shares differ in length by one where the ranks do not divide the samples, unless `is_even`.

    Args:
        selection: what is read.
        shuffle: False = in the order of sample_id, in every epoch.
        seed: of the shuffling.
        share: None = that of this process.
        is_even: leave out the few last samples of an epoch that would make shares unequal.
    """

    def __init__(
        self,
        selection: Selection,
        *,
        shuffle: bool = True,
        seed: int = 0,
        share: Share | None = None,
        is_even: bool = False,
    ):
        self._num_samples = len(selection)
        self._shuffle = shuffle
        self._seed = seed
        self._share = _checked(share)
        self._is_even = is_even
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._own(np.empty(self._num_samples, np.uint8)))

    def __iter__(self) -> Iterator[int]:
        order = (
            _generator(self._seed, self._epoch).permutation(self._num_samples)
            if self._shuffle
            else np.arange(self._num_samples)
        )
        return iter(self._own(order).tolist())

    def _own(self, order: np.ndarray) -> np.ndarray:
        rank, num_ranks = self._share
        return order[: len(order) // num_ranks * num_ranks if self._is_even else None][rank::num_ranks]


class ClassBalancedSampler:
    """Samples that show rare classes are drawn more often.

    The idea of repeat factor sampling (Gupta et al. 2019, LVIS): a class that is seen in a share f of the
    samples has the factor f ** -power, and a sample has that of its rarest class. Each sample is drawn as
    often as its factor demands, rounded up or down at random, so that rounding evens out over the epochs.
    Every rank draws equally many.

    Args:
        selection: what is read.
        power: 0 = every sample alike; 1 = a class in a tenth of the samples is drawn ten times as often as
            one in all of them.
        min_pixels: how many pixels of a class a label must have to show it.
        num_samples: samples per epoch, of all ranks together; 0 = as many as the selection has. It is
            rounded up to a multiple of the number of ranks.
        seed: of the drawing.
        share: None = that of this process.
    """

    def __init__(
        self,
        selection: Selection,
        *,
        power: float = 0.5,
        min_pixels: int = 1,
        num_samples: int = 0,
        seed: int = 0,
        share: Share | None = None,
    ):
        self.factors = _repeat_factors(selection, power, min_pixels)
        """float64 [N]: how often each sample is drawn, beside one that shows classes of every sample only."""
        self._seed = seed
        self._share = _checked(share)
        num_drawn = (num_samples or len(selection)) if len(selection) else 0
        self._num_own = -(-num_drawn // self._share.num_ranks)
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return self._num_own

    def __iter__(self) -> Iterator[int]:
        # One draw for all ranks, of which each takes its share.
        rng = _generator(self._seed, self._epoch)
        num_drawn = self._num_own * self._share.num_ranks
        if not num_drawn:
            return iter(())
        # Evenly spaced points on the samples laid end to end by factor hit each as often as it is due.
        order = rng.permutation(len(self.factors))
        ends = np.cumsum(self.factors[order])
        points = (np.arange(num_drawn) + rng.random()) * (ends[-1] / num_drawn)
        hit = np.minimum(np.searchsorted(ends, points, side="right"), len(order) - 1)
        drawn = rng.permutation(order[hit])
        return iter(drawn[self._share.rank :: self._share.num_ranks].tolist())


def _repeat_factors(selection: Selection, power: float, min_pixels: int) -> np.ndarray:
    if power < 0:
        raise ValueError(f"A power of {power:g} would draw rare classes less often; 0 or more was wanted.")
    shows = selection.class_pixel_counts() >= min_pixels
    shows[:, list(selection.ignored_ids)] = False
    frequencies = shows.mean(axis=0) if len(shows) else np.ones(shows.shape[1])
    factors = np.where(frequencies > 0, frequencies, 1.0) ** -power
    # A sample that shows no class at all, or ignored ones only, counts as one of frequent classes.
    return np.where(shows, factors, 1.0).max(axis=1, initial=1.0)


def _generator(seed: int, epoch: int) -> np.random.Generator:
    return np.random.default_rng([seed, epoch])


def _checked(share: Share | None) -> Share:
    rank, num_ranks = share if share is not None else Share.of_this_process()
    if not 0 <= rank < num_ranks:
        raise ValueError(f"There is no rank {rank} of {num_ranks}; ranks count from 0 to {num_ranks - 1}.")
    return Share(rank, num_ranks)
