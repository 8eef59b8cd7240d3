"""Spectral normalisation of networks (Miyato et al. 2018, arXiv 1802.05957)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

__all__ = ["add_spectral_norm", "weights_in_full_precision"]


def add_spectral_norm(network: nn.Module) -> None:
    """Divide the weights of every convolution by their largest singular value from now on.

    The estimate of that value starts from random vectors of PyTorch's global source.
    """
    for module in list(network.modules()):
        if isinstance(module, nn.Conv2d) and not parametrize.is_parametrized(module):
            spectral_norm(module)


@contextmanager
def weights_in_full_precision(network: nn.Module, device_type: str) -> Iterator[None]:
    """Inside, each normalised weight is what it was at the entrance: computed once, outside of autocast,
    whose half precision would reach the estimate of the singular value."""
    with parametrize.cached():
        with torch.autocast(device_type, enabled=False):
            for module in network.modules():
                if parametrize.is_parametrized(module, "weight"):
                    _ = module.weight  # fills the cache
        yield
