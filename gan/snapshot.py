"""Snapshots: what others need to use a trained method; generator weights and all that describes them."""

import io
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from torch import Tensor, nn

from gan.conditioning import LabelSpec
from gan.config import TrainConfig
from gan.snapshot_info import HEADER_KEY, SnapshotError, SnapshotInfo, read_info

__all__ = ["BaseSnapshot", "Snapshot", "SnapshotError", "SnapshotInfo"]

IS_IGNORED = "labels.is_ignored"


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
        tensors[IS_IGNORED] = torch.from_numpy(labels.is_ignored.copy())
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
            self.tensors[IS_IGNORED].numpy(),
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
            SnapshotError: it is no safetensors file of this project, is damaged, or of a release with other
                settings.
        """
        info = read_info(io.BytesIO(data))
        try:
            tensors = load_safetensors(data)
            tensors.setdefault(IS_IGNORED, torch.zeros_like(tensors["labels.is_background"]))  # of format 1
        except (KeyError, SafetensorError) as error:
            raise SnapshotError(f"This is no usable snapshot ({type(error).__name__}: {error}).") from None
        return cls(info, tensors)


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
