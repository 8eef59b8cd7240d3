"""Networks that only draw, laid out for the CPU."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.generators import ResnetGenerator
from gan.instance_norm import InstanceNorm

__all__ = ["lay_out_for_cpu"]

SMALL_MAP_PX = 1024
"""Of smaller maps torch's group norm takes one channel after the other: 25 times the time for 28x28 px of 128
channels in bfloat16."""


def lay_out_for_cpu(networks: nn.Module) -> None:
    """Have ResNet generators compute in channels_last, in which convolutions are fastest on a CPU; in place.

    Pictures differ by a level of 255 at most. For drawing alone: these norms' backward passes are slow. Other
    networks stay, as they gain nothing: their norms copy images back and forth.
    """
    for network in networks.modules():
        if isinstance(network, ResnetGenerator):
            _replace_norms(network)
            network.to(memory_format=torch.channels_last)


def _replace_norms(network: nn.Module) -> None:
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, InstanceNorm):
                setattr(module, name, _ChannelsLastNorm(child.num_features, child.eps))


class _ChannelsLastNorm(nn.Module):
    """Instance norm that reads channels_last and writes it, where torch's own would copy back and forth."""

    def __init__(self, channels: int, eps: float):
        super().__init__()
        self.channels = channels
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        if x.shape[2] * x.shape[3] >= SMALL_MAP_PX:
            return F.group_norm(x, self.channels, eps=self.eps)  # a group for each channel
        pixels = x.permute(0, 2, 3, 1).flatten(1, 2).float()  # [N, H * W, C]
        centred = pixels - pixels.mean(1, keepdim=True)
        scale = (centred.square().mean(1, keepdim=True) + self.eps).rsqrt()
        return (centred * scale).to(x.dtype).unflatten(1, x.shape[2:]).permute(0, 3, 1, 2)
