"""What a file of weights tells about the network that they belong to."""

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["NUM_DOWNSAMPLINGS", "Layout", "biased", "unbiased"]

NUM_DOWNSAMPLINGS = 2
"""In every generator that is imported."""


class Layout(NamedTuple):
    """A generator's sizes, and where each of its weights is."""

    settings: dict[str, Any]
    """Of `TrainConfig`."""
    names: dict[str, str]
    """This project's name of each weight -> the other repository's."""


def biased(modules: Mapping[str, str]) -> dict[str, str]:
    """Names of weights and biases, from names of modules."""
    return {
        f"{ours}.{kind}": f"{theirs}.{kind}"
        for ours, theirs in modules.items()
        for kind in ("weight", "bias")
    }


def unbiased(modules: Mapping[str, str]) -> dict[str, str]:
    """Names of weights, from names of modules without biases."""
    return {f"{ours}.weight": f"{theirs}.weight" for ours, theirs in modules.items()}
