"""Exponential moving average of weights."""

import copy

import torch
from torch import Tensor, nn

__all__ = ["EMA"]


class EMA:
    """A copy of a network whose weights are the moving average of the original's; snapshots hold it."""

    def __init__(self, network: nn.Module):
        self._network = network
        self.network = copy.deepcopy(network).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, decay: float) -> None:
        """Move the average: decay * average + (1 - decay) * current; buffers are copied."""
        averages, currents = list(self.network.parameters()), list(self._network.parameters())
        torch._foreach_lerp_(averages, currents, 1 - decay)
        for average, current in zip(self.network.buffers(), self._network.buffers(), strict=True):
            average.copy_(current)

    def state_dict(self) -> dict[str, Tensor]:
        return self.network.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.network.load_state_dict(state)
