"""A selection as a torch Dataset, for DataLoader and torchvision's transforms."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import from_numpy
from torch.utils.data import Dataset
from torchvision import tv_tensors

from manifests.loaders.selection import Pair, Selection

__all__ = ["SamplePairs", "Transforms", "as_tensors"]

Transforms = Callable[[Any, Any], Any]
"""Called with an image and its mask; returns both. Transforms of torchvision v2 move them alike."""


def as_tensors(pair: Pair, transforms: Transforms | None) -> tuple[Any, Any]:
    """tv_tensors.Image uint8 [3, H, W] and tv_tensors.Mask uint8 [H, W], or what transforms make of both."""
    image = tv_tensors.Image(from_numpy(pair.image).permute(2, 0, 1))
    mask = tv_tensors.Mask(from_numpy(pair.mask))
    return (image, mask) if transforms is None else transforms(image, mask)


class SamplePairs(Dataset):
    """Images and their masks, to be read by any number of DataLoader workers.

    `pairs[i]` is (tv_tensors.Image uint8 [3, H, W] RGB, tv_tensors.Mask uint8 [H, W]). For several processes,
    or for an order that epochs can be resumed in, take a sampler of `manifests.loaders.samplers`.

    Args:
        selection: what is read.
        transforms: called with the image and the mask; returns both.
    """

    def __init__(self, selection: Selection, transforms: Transforms | None = None):
        self.selection = selection
        self.transforms = transforms

    def __len__(self) -> int:
        return len(self.selection)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"There is no sample {index}; the selection has {len(self)}.")
        return as_tensors(self.selection.read(index % len(self)), self.transforms)

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[Any, Any]]:
        """What DataLoader asks for a batch by."""
        return [as_tensors(pair, self.transforms) for pair in self.selection.read_all(indices)]
