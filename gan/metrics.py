"""Means of named measures between two reports."""

from typing import Any

import torch
from torch import Tensor

__all__ = ["RunningMeans"]


class RunningMeans:
    """Sums measures on their device and waits for it only when asked; one NaN is remembered until the next
    report."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._count = 0

    def add(self, measures: dict[str, Tensor]) -> None:
        """Take one step's scalars; every step names the same ones."""
        for name, value in measures.items():
            value = value.detach().double()
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._count += 1

    def peek(self) -> dict[str, float]:
        """The means since the last `pop`; empty when nothing was added."""
        if not self._sums:
            return {}
        values = (torch.stack(list(self._sums.values())) / self._count).tolist()
        return dict(zip(self._sums, values, strict=True))

    def pop(self) -> dict[str, float]:
        """The means, and start anew."""
        means = self.peek()
        self._sums, self._count = {}, 0
        return means

    def state_dict(self) -> dict[str, Any]:
        return {"sums": self._sums, "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._sums, self._count = dict(state["sums"]), state["count"]
