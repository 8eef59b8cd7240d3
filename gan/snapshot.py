"""Snapshots: what others need to use a trained method; generator weights and all that describes them."""

import json
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from torch import Tensor, nn

from gan.conditioning import LabelSpec
from gan.config import NoiseConfig, StrictModel, TrainConfig

__all__ = ["BaseSnapshot", "Snapshot", "SnapshotError", "SnapshotInfo"]

HEADER_KEY = "seg2real"


class SnapshotError(ValueError):
    """A snapshot that cannot be used; the message says why."""


class SnapshotInfo(StrictModel):
    """What a snapshot says of itself."""

    format: int = 1
    num_images_seen: int
    """Training progress."""
    train: TrainConfig
    palette: dict[str, Any]
    """Class ids, names and colours of domain A, as the palette's file has them."""
    noise: NoiseConfig
    torch_version: str
    base_sha256: str | None = None
    """Of the snapshot that training started from; None = it started from nothing."""
    holds: Literal["ema", "raw"] | None = None
    """The average of the weights, or those of the last step; None = no training wrote it."""


@dataclass(frozen=True)
class Snapshot:
    """Generator weights ("ab.*", "ba.*"), the classes of the labels ("labels.*"), and their description.

    On disk it is one safetensors file; the description is JSON in its header.
    """

    info: SnapshotInfo
    tensors: dict[str, Tensor]

    @classmethod
    def of(
        cls,
        generators: nn.ModuleDict,
        labels: LabelSpec,
        train: TrainConfig,
        num_images_seen: int,
        *,
        base_sha256: str | None = None,
        holds: Literal["ema", "raw"] | None = None,
    ) -> "Snapshot":
        """Copy to the CPU what use needs of the generators and of the labels' classes."""
        tensors = {name: tensor.detach().cpu().clone() for name, tensor in generators.state_dict().items()}
        tensors["labels.noise_table"] = torch.from_numpy(labels.noise_table.copy())
        tensors["labels.is_background"] = torch.from_numpy(labels.is_background.copy())
        tensors["labels.is_ignored"] = torch.from_numpy(labels.is_ignored.copy())
        info = SnapshotInfo(
            num_images_seen=num_images_seen,
            train=train.essence(),
            palette=labels.palette,
            noise=labels.noise,
            torch_version=torch.__version__,
            base_sha256=base_sha256,
            holds=holds,
        )
        return cls(info, tensors)

    def is_finite(self) -> bool:
        """False when any weight is NaN or infinite."""
        return all(bool(tensor.isfinite().all()) for tensor in self.tensors.values())

    @property
    def weights(self) -> dict[str, Tensor]:
        """State dict of the method's generators."""
        return {name: tensor for name, tensor in self.tensors.items() if not name.startswith("labels.")}

    @property
    def labels(self) -> LabelSpec:
        """The classes that the generators were trained with."""
        return LabelSpec(
            self.tensors["labels.noise_table"].numpy(),
            self.tensors["labels.is_background"].numpy(),
            self.tensors["labels.is_ignored"].numpy(),
            self.info.noise,
            self.info.palette,
        )

    def to_bytes(self) -> bytes:
        """The file's content; equal snapshots have equal bytes."""
        header = {HEADER_KEY: self.info.model_dump_json()}
        return save_safetensors({name: t.contiguous() for name, t in sorted(self.tensors.items())}, header)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Snapshot":
        """Read a snapshot file's content.

        Raises:
            SnapshotError: it is no safetensors file of this project, or it is damaged.
        """
        try:
            header_size = int.from_bytes(data[:8], "little")
            header = json.loads(data[8 : 8 + header_size])["__metadata__"][HEADER_KEY]
            return cls(SnapshotInfo.model_validate_json(header), load_safetensors(data))
        except (ValueError, KeyError, SafetensorError) as error:
            raise SnapshotError(f"This is no usable snapshot ({type(error).__name__}: {error}).") from None


class BaseSnapshot(NamedTuple):
    """A snapshot to start training from, and the hash of its file."""

    snapshot: Snapshot
    sha256: str

    def load_into(self, generators: nn.ModuleDict) -> None:
        """Give networks its weights.

        Raises:
            SnapshotError: they are other networks.
        """
        train, weights = self.snapshot.info.train, self.snapshot.weights
        wanted = generators.state_dict()
        for name in sorted(wanted.keys() | weights.keys()):
            shapes = [tuple(part[name].shape) if name in part else None for part in (weights, wanted)]
            if shapes[0] != shapes[1]:
                raise SnapshotError(
                    f"The snapshot to start from holds other networks: {name} is {shapes[0] or 'missing'} "
                    f"in it and {shapes[1] or 'missing'} here; take its method '{train.method}', its "
                    f"conditioning '{train.conditioning}' and its generator."
                )
        generators.load_state_dict(weights)
