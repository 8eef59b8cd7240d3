"""Contrastive learning of patches: what a picture shows at a place should be known by its features from what
it shows elsewhere (PatchNCE; Park et al. 2020, arXiv 2007.15651, section 3).

Shapes: N batch, C channels, h/w feature map, P locations, D channels that are compared.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["PatchProjector", "draw_locations", "patch_nce_loss", "patches_at"]

MIN_NORM = 1e-6


class PatchProjector(nn.Module):
    """Two layers for each feature map, and features of length 1 behind them (section 3); maps share nothing.

    Args:
        channels: of each feature map.
        width: D, of both layers.
    """

    def __init__(self, channels: Sequence[int], width: int):
        super().__init__()
        self.maps = nn.ModuleList(
            nn.Sequential(nn.Linear(of_map, width), nn.ReLU(), nn.Linear(width, width)) for of_map in channels
        )

    def forward(self, features: Sequence[Tensor], locations: Sequence[Tensor]) -> list[Tensor]:
        """[N, C, h, w] and int64 [P] of each map -> float32 [N, P, D] of length 1 each."""
        projected = [
            layers(patches_at(feature, places))
            for layers, feature, places in zip(self.maps, features, locations, strict=True)
        ]
        return [F.normalize(patches.float(), dim=-1, eps=MIN_NORM) for patches in projected]


def draw_locations(
    features: Sequence[Tensor], num_patches: int, *, generator: torch.Generator
) -> list[Tensor]:
    """Places in each feature map [N, C, h, w], none twice and the same for the whole batch: int64 [P] in
    0..h * w - 1, with P = `num_patches` or all where there are fewer."""
    sizes = [feature.shape[-2] * feature.shape[-1] for feature in features]
    return [
        torch.randperm(size, generator=generator, device=generator.device)[:num_patches] for size in sizes
    ]


def patches_at(feature: Tensor, locations: Tensor) -> Tensor:
    """Features at places: [N, C, h, w] and int64 [P] in 0..h * w - 1 -> [N, P, C]."""
    return feature.flatten(2)[..., locations].transpose(1, 2)


def patch_nce_loss(query: Tensor, key: Tensor, *, temperature: float) -> Tensor:
    """Cross-entropy of finding, among the keys of an image, the one at the query's own place (section 3,
    eq. 3). Keys take no gradient.

    Args:
        query: [N, P, D] of length 1, of the drawn image.
        key: [N, P, D] of length 1, of what it was drawn from, at the same places.
        temperature: that similarities in [-1, 1] are divided by.
    """
    with torch.autocast(query.device.type, enabled=False):  # 8 bits of mantissa blur what 0.07 divides
        similarity = query.float() @ key.detach().float().transpose(1, 2)  # [N, P, P]
    own_place = torch.arange(query.shape[1], device=query.device).expand(query.shape[:2])
    return F.cross_entropy(similarity.flatten(0, 1) / temperature, own_place.flatten())
