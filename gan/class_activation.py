"""Class activation maps as attention (UGATIT, arXiv 1907.10830, section 3.1; after Zhou et al. 2016, arXiv
1512.04150): an auxiliary classifier tells two kinds of images apart, and what it looks at is made to count.

Shapes: N batch, C channels, h/w feature grid.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

__all__ = ["Activated", "ClassActivation", "class_activation_loss"]


class Activated(NamedTuple):
    """What the classifier makes of a feature map."""

    features: Tensor
    """[N, 2C, h, w]: the features weighed by the average's classifier, and by the maximum's."""
    logits: Tensor
    """float32 [N, 2], one from each feature's average and one from each feature's maximum."""


class ClassActivation(nn.Module):
    """Two linear classifiers on pooled features; their weights say how much each feature matters.

    Args:
        channels: of the features.
        normalizes: spectral norm on both; the features are then weighed by the normalised weights.
    """

    def __init__(self, channels: int, *, normalizes: bool):
        super().__init__()
        self.average = nn.Linear(channels, 1, bias=False)
        self.maximum = nn.Linear(channels, 1, bias=False)
        if normalizes:
            spectral_norm(self.average)
            spectral_norm(self.maximum)

    def forward(self, features: Tensor, attention: Tensor | None = None) -> Activated:
        """[N, C, h, w] -> features [N, 2C, h, w] and logits [N, 2].

        Args:
            features: what is classified and weighed.
            attention: [N, 1, h, w] in [0, 1]; where it is 0 the classifiers find 0 instead of features, which
                are weighed everywhere nevertheless. None = they see everything.
        """
        by_average, by_maximum = self.average.weight, self.maximum.weight  # [1, C]; read once
        seen = features if attention is None else features * attention
        logits = [F.linear(seen.mean((2, 3)), by_average), F.linear(seen.amax((2, 3)), by_maximum)]
        weighed = [features * by_average[:, :, None, None], features * by_maximum[:, :, None, None]]
        return Activated(torch.cat(weighed, 1), torch.cat(logits, 1).float())


def class_activation_loss(source_logits: Tensor, target_logits: Tensor) -> Tensor:
    """What a generator's classifier wants (section 3.2.1, CAM loss of the generator): binary cross-entropy,
    1 for images to translate and 0 for images that are in the domain to be drawn already.

    Args:
        source_logits: [N, 2], of images to translate.
        target_logits: [N, 2], of images of the domain that the generator draws.
    """
    return F.softplus(-source_logits).mean() + F.softplus(target_logits).mean()
