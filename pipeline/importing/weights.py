"""Weights in the files of other repositories: read, cleaned, and brought under this project's names."""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

__all__ = ["ForeignWeights", "ForeignWeightsError", "read_weights", "renamed"]

PARALLEL_PREFIX = "module."
NORM_BUFFERS = (".running_mean", ".running_var", ".num_batches_tracked")


class ForeignWeightsError(ValueError):
    """Weights that cannot be imported; the message says why."""


@dataclass(frozen=True)
class ForeignWeights:
    """One network's weights by the names of the repository that trained it."""

    where: str
    """The file, and what in it."""
    tensors: Mapping[str, Tensor]

    def __contains__(self, name: str) -> bool:
        return name in self.tensors

    def shape(self, name: str) -> torch.Size:
        """Shape of a weight.

        Raises:
            ForeignWeightsError: there is no such weight.
        """
        if name not in self.tensors:
            raise ForeignWeightsError(
                f"{self.where} lacks '{name}'; a generator with instance norm, of the repository that --from "
                "names, was wanted."
            )
        return self.tensors[name].shape

    def count(self, pattern: str, *, start: int = 0) -> int:
        """How many names there are from `pattern` with `start`, `start` + 1, ... for its {} up to a gap."""
        number = start
        while pattern.format(number) in self.tensors:
            number += 1
        return number - start


def read_weights(path: Path, networks: Sequence[str] = ()) -> list[ForeignWeights]:
    """The network in a file; of a file with several, those that are named.

    Names lose what DataParallel puts before them. The buffers that instance norms had before PyTorch 0.4 are
    dropped, as the repositories do themselves.

    Raises:
        ForeignWeightsError: the file holds something else.
    """
    content = _load(path)
    if not networks:
        return [_network(str(path), content)]
    for name in networks:
        if name not in content:
            raise ForeignWeightsError(
                f"{path} holds no '{name}' but {_listed(content)}; a file with {' and '.join(networks)} was "
                "wanted."
            )
    return [_network(f"{path} ({name})", content[name]) for name in networks]


def renamed(
    weights: ForeignWeights, names: Mapping[str, str], wanted: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """A network's weights under the names that they have here.

    Args:
        weights: as they were trained.
        names: this project's name of each weight -> the other repository's.
        wanted: this project's state dict, for its shapes.

    Raises:
        ForeignWeightsError: a weight is missing, superfluous, or of another shape; names the first.
    """
    surplus = [name for name in weights.tensors if name not in set(names.values())]
    for ours, theirs in names.items():
        found, fits = weights.shape(theirs), wanted[ours].shape
        if found != fits:
            raise ForeignWeightsError(
                f"{weights.where}: '{theirs}' has the shape {_text(found)}, but {_text(fits)} was wanted for "
                "RGB images and the other weights of this file."
            )
    if surplus:
        raise ForeignWeightsError(
            f"{weights.where}: '{surplus[0]}' belongs to no generator of the repository that --from names; "
            "check --from, and that the network is none of the repository's other kinds."
        )
    return {ours: weights.tensors[theirs] for ours, theirs in names.items()}


def _load(path: Path) -> Mapping[str, Any]:
    with open(path, "rb") as file:
        try:
            content = torch.load(file, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
            raise ForeignWeightsError(
                f"{path} cannot be read as plain weights ({type(error).__name__}); the file of a network's "
                "state_dict() was wanted, as torch.save writes it."
            ) from None
    if not isinstance(content, Mapping) or not content:
        raise ForeignWeightsError(
            f"{path} holds a {type(content).__name__}; a network's state_dict() was wanted."
        )
    return content


def _network(where: str, content: Any) -> ForeignWeights:
    if not isinstance(content, Mapping):
        raise ForeignWeightsError(f"{where} is a {type(content).__name__}; a state_dict() was wanted.")
    tensors = {}
    for full_name, tensor in content.items():
        if not isinstance(tensor, Tensor):
            raise ForeignWeightsError(
                f"{where} holds '{full_name}', a {type(tensor).__name__}, where a weight was wanted; check "
                "--from."
            )
        name = full_name.removeprefix(PARALLEL_PREFIX)
        if name.endswith(".weight") and tensor.ndim == 1:
            raise ForeignWeightsError(
                f"{where}: '{name}' scales a batch norm or an instance norm, but only generators with plain "
                "instance norm (--norm instance) can be imported."
            )
        if not name.endswith(NORM_BUFFERS):
            tensors[name] = tensor.float()
    return ForeignWeights(where, tensors)


def _listed(content: Mapping[str, Any]) -> str:
    names = list(content)
    return ", ".join(f"'{name}'" for name in names[:3]) + (", ..." if len(names) > 3 else "")


def _text(shape: torch.Size) -> str:
    return " x ".join(map(str, shape)) or "of a single number"
