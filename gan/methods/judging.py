"""The discriminator phase, which methods share."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import Tensor

from gan.config import TrainConfig
from gan.losses import discriminator_accuracy, discriminator_loss
from gan.methods.method import PhaseLoss

__all__ = ["Judged", "judge"]


class Judged(NamedTuple):
    """What the discriminator of one domain is shown."""

    discriminator: Callable[[Tensor], Sequence[Tensor]]
    """Images -> logits, one tensor per scale."""
    real: Tensor
    """float [N, C, H, W] in [-1, 1]."""
    fake: Tensor
    """float [N, C, H, W] in [-1, 1]."""
    real_weight: Tensor | None = None
    """float [N, 1, H, W] in [0, 1]; patches count by the mean weight under them."""
    fake_weight: Tensor | None = None


def judge(domains: dict[str, Judged], config: TrainConfig) -> PhaseLoss:
    """What the discriminators want, summed over domains, and the share of patches that each calls right."""
    total, terms = 0.0, {}
    for name, shown in domains.items():
        logits = shown.discriminator(shown.real), shown.discriminator(shown.fake)
        weights = {"real_weight": shown.real_weight, "fake_weight": shown.fake_weight}
        loss = discriminator_loss(*logits, config.adversarial, **weights)
        terms[f"discriminator_{name}"] = loss.detach()
        terms[f"accuracy_{name}"] = discriminator_accuracy(*logits, config.adversarial, **weights)
        total = total + loss
    return PhaseLoss(total, terms, {})
