"""A published dataset for PyTorch. The only module of this package that imports torch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import torch
from torch.utils.data import Dataset

from manifests.decoding import UndecodableError, decode_image, decode_label
from manifests.paths import inside
from manifests.reader import read_table
from manifests.schema import SPLITS, class_names, version_number

__all__ = ["SamplePairs"]


class SamplePairs(Dataset):
    """Images and their labels, ordered by sample_id, to be read by any number of DataLoader workers.

    `pairs[i]` is (image, mask): tv_tensors.Image uint8 [3, H, W] RGB and tv_tensors.Mask uint8 [H, W] ids.
    Both go through `transforms` together, so transforms of torchvision v2 move them alike.

    Args:
        root: the dataset's folder.
        split: "train", "val" or "test"; None = all.
        transforms: called with the image and the mask; returns both.
        accepted_only: leave out samples that the quality gates rejected.
    """

    def __init__(
        self,
        root: Path | str,
        split: str | None = None,
        transforms: Callable[[Any, Any], Any] | None = None,
        accepted_only: bool = True,
    ) -> None:
        if split is not None and split not in SPLITS:
            raise ValueError(f"There is no split '{split}'; use one of {', '.join(SPLITS)}, or None for all.")
        self.root = Path(root)
        self.transforms = transforms
        # Arrow columns stay compact and are shared between forked workers.
        columns = ["sample_id", "image_file_name", "label_file_name", "split", "accepted"]
        table = read_table(self.root, columns)
        if split is not None:
            table = table.filter(pc.equal(table["split"], split))
        if accepted_only:
            table = table.filter(table["accepted"])
        self.class_names = class_names(table.schema)
        self.version = version_number(table.schema)
        self.sample_ids, self._images, self._labels = (table[name].combine_chunks() for name in columns[:3])

    def __len__(self) -> int:
        return len(self.sample_ids)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        from torchvision import tv_tensors

        if not -len(self) <= index < len(self):
            raise IndexError(f"There is no sample {index}; the dataset has {len(self)}.")
        pixels = self._decoded(self._images[index % len(self)].as_py(), decode_image)
        label_map = self._decoded(self._labels[index % len(self)].as_py(), decode_label)
        image = tv_tensors.Image(torch.from_numpy(pixels).permute(2, 0, 1).contiguous())
        mask = tv_tensors.Mask(torch.from_numpy(label_map))
        return (image, mask) if self.transforms is None else self.transforms(image, mask)

    def _decoded(self, name: str, decode: Callable[[bytes], Any]) -> Any:
        path = inside(self.root, name)
        try:
            return decode(path.read_bytes())
        except UndecodableError as error:
            raise UndecodableError(
                f"{path} cannot be used: {error}; `seg2real verify {self.root}` lists what else is wrong."
            ) from error
