"""Batches of samples, in memory that is used again and again."""

import threading
import weakref
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Batch", "BatchMemory"]


class Batch(NamedTuple):
    """Samples of one size, side by side. Its memory is used again when nothing refers to it any more."""

    images: np.ndarray
    """uint8 [N, H, W, 3] RGB."""
    masks: np.ndarray
    """uint8 [N, H, W] class ids, as the selection maps them."""
    indices: np.ndarray
    """int64 [N]: positions in the selection."""

    def to_torch(self) -> tuple[Any, Any]:
        """The images as a uint8 tensor [N, 3, H, W] in channels_last order, and the masks as one [N, H, W];
        both share the batch's memory."""
        import torch

        return torch.from_numpy(self.images).permute(0, 3, 1, 2), torch.from_numpy(self.masks)


class BatchMemory:
    """Gives out batches to fill in, and takes their memory back once nobody has a batch's arrays, nor any
    view or tensor of them.

    Fresh memory would cost about a twentieth of the decoding: the system clears every page of it.
    """

    def __init__(self) -> None:
        self._free: list[np.ndarray] = []
        self._taking = threading.Lock()

    def batch(self, indices: np.ndarray, width: int, height: int) -> Batch:
        """A batch of samples of one size, of any content."""
        num_pixels = len(indices) * height * width
        both = self._array(4 * num_pixels)
        images, masks = both[: 3 * num_pixels], both[3 * num_pixels :]
        return Batch(images.reshape(-1, height, width, 3), masks.reshape(-1, height, width), indices)

    def _array(self, num_bytes: int) -> np.ndarray:
        memory = self._large_enough(num_bytes)
        # NumPy lets views refer to the first array that is itself no view of an array. Through a memoryview
        # that is this one, not the memory, and it lives as long as the last of its views.
        array = np.frombuffer(memoryview(memory), np.uint8, num_bytes)
        weakref.finalize(array, self._free.append, memory).atexit = False
        return array

    def _large_enough(self, num_bytes: int) -> np.ndarray:
        with self._taking:
            for place, memory in enumerate(self._free):
                if len(memory) >= num_bytes:
                    return self._free.pop(place)
            if self._free:
                self._free.pop()  # it makes room for a larger one
        return np.empty(num_bytes, np.uint8)
