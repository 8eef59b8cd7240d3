"""Instance norm whose gradient can be relied on."""

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["InstanceNorm", "instance_norm"]


class InstanceNorm(nn.InstanceNorm2d):
    """[N, C, H, W] -> the same, each channel of each image with mean 0 and variance 1 (arXiv 1607.08022)."""

    def forward(self, x: Tensor) -> Tensor:
        return instance_norm(x, self.eps)


def instance_norm(x: Tensor, eps: float) -> Tensor:
    """The norm as a function.

    Of a single image PyTorch reads a gradient in channels_last on a CPU as if it lay in rows, and hands back
    another one than the norm's (torch 2.15); so it is laid in rows before.
    """
    normed = F.instance_norm(x, eps=eps)
    if normed.requires_grad:
        normed.register_hook(Tensor.contiguous)
    return normed
