"""The history of fakes that discriminators are shown."""

from typing import Any

import torch
from torch import Tensor

__all__ = ["ImagePool"]


class ImagePool:
    """Keeps past fakes on the device (Shrivastava et al., arXiv 1612.07828, section 2.3).

    Of each kind of fake the first `capacity` images are stored and returned; from then on each new image is,
    with probability 1/2, swapped for a random stored one. Nothing here waits for the device.
    """

    def __init__(self, capacity: int):
        self.capacity = capacity
        self._stored: dict[str, Tensor] = {}  # [capacity, C, H, W] each
        self._num_stored: dict[str, int] = {}

    def query(self, fakes: dict[str, Tensor], random: torch.Generator) -> dict[str, Tensor]:
        """Store and exchange every kind of fake, in the order of their names.

        Args:
            fakes: the newest, [N, C, H, W] each.
            random: random source on their device.

        Returns:
            What the discriminators are to judge, of the same shapes and without gradient.
        """
        return {name: self._query(name, images.detach(), random) for name, images in sorted(fakes.items())}

    def _query(self, name: str, images: Tensor, random: torch.Generator) -> Tensor:
        if self.capacity == 0:
            return images
        if name not in self._stored:
            self._stored[name] = images.new_zeros(self.capacity, *images.shape[1:])
        before = self._num_stored.get(name, 0)
        num_fresh = min(len(images), self.capacity - before)
        fresh, rest = images[:num_fresh], images[num_fresh:]
        self._stored[name][before : before + num_fresh] = fresh
        self._num_stored[name] = before + num_fresh
        if len(rest) == 0:
            return fresh
        return torch.cat([fresh, *(self._exchange(name, part, random) for part in rest.split(self.capacity))])

    def _exchange(self, name: str, images: Tensor, random: torch.Generator) -> Tensor:
        device, count = images.device, len(images)
        slots = torch.randperm(self.capacity, generator=random, device=device)[:count]
        swap = (torch.rand(count, generator=random, device=device) < 0.5).view(-1, 1, 1, 1)
        stored = self._stored[name][slots]
        self._stored[name][slots] = torch.where(swap, images, stored)
        return torch.where(swap, stored, images)

    def state_dict(self) -> dict[str, Any]:
        return {"stored": self._stored, "num_stored": self._num_stored}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._stored, self._num_stored = dict(state["stored"]), dict(state["num_stored"])
