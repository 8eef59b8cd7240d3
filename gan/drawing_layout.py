"""Networks that only draw, laid out for the CPU."""

import torch
from torch import nn

from gan.generators import ResnetGenerator

__all__ = ["lay_out_for_cpu"]


def lay_out_for_cpu(networks: nn.Module) -> None:
    """Have ResNet generators compute in channels_last, in which convolutions are fastest on a CPU; in place.

    Instance norms become group norms with a group for each channel: the same arithmetic, by a kernel that
    takes this layout as it is. Pictures differ by a level of 255 at most. For drawing alone: that kernel's
    backward pass is slow. Other networks stay, as they gain nothing: their norms copy images back and forth.
    """
    for network in networks.modules():
        if isinstance(network, ResnetGenerator):
            _replace_norms(network)
            network.to(memory_format=torch.channels_last)


def _replace_norms(network: nn.Module) -> None:
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.InstanceNorm2d):
                channels = child.num_features
                setattr(module, name, nn.GroupNorm(channels, channels, child.eps, affine=False))
