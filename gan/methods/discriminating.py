"""The discriminator phase, which methods share."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gan.config import TrainConfig
from gan.edges import blur_edges
from gan.losses import discriminator_accuracy, discriminator_loss, gradient_penalty, says_fake_loss
from gan.methods.method import Batch, PhaseLoss
from gan.schedule import derived_seed

__all__ = ["Discriminator", "Shown", "discriminate"]

Discriminator = Callable[[Tensor], Sequence[Tensor]]
"""Images -> logits, one tensor per scale."""


class Shown(NamedTuple):
    """What the discriminator of one domain is shown."""

    discriminator: Discriminator
    real: Tensor
    """float [N, C, H, W] in [-1, 1]."""
    fake: Tensor
    """float [N, C, H, W] in [-1, 1]."""
    real_weight: Tensor | None = None
    """float [N, 1, H, W] in [0, 1]; patches count by the mean weight under them."""
    fake_weight: Tensor | None = None


def discriminate(domains: dict[str, Shown], batch: Batch, config: TrainConfig) -> PhaseLoss:
    """What the discriminators want, summed over domains, and the share of patches that each calls right.

    With `loss.blur` photographs with blurred edges are shown to the discriminator of photographs as fakes;
    with `loss.r1` steep discriminators are punished once in `r1_every_steps` steps.
    """
    total, terms = 0.0, {}
    for name, shown in domains.items():
        logits = shown.discriminator(shown.real), shown.discriminator(shown.fake)
        weights = {"real_weight": shown.real_weight, "fake_weight": shown.fake_weight}
        loss = discriminator_loss(*logits, config.adversarial, **weights)
        terms[f"discriminator_{name}"] = loss.detach()
        terms[f"accuracy_{name}"] = discriminator_accuracy(*logits, config.adversarial, **weights)
        total = total + loss
        if config.loss.blur and name == "b":
            blurred = shown.discriminator(blur_edges(shown.real))
            terms["blur_b"] = says_fake_loss(blurred, config.adversarial, weight=shown.real_weight)
            total = total + config.loss.blur * terms["blur_b"]
        if config.loss.r1 and _is_r1_due(batch, config):
            seed = derived_seed(config.seed, f"r1_{name}", batch.num_images_seen)
            terms[f"r1_{name}"] = _r1(shown.discriminator, shown.real, seed)
            total = total + config.loss.r1 * config.r1_every_steps / 2 * terms[f"r1_{name}"]
    return PhaseLoss(total, {name: term.detach() for name, term in terms.items()}, {})


def _is_r1_due(batch: Batch, config: TrainConfig) -> bool:
    return batch.num_images_seen // config.batch_size % config.r1_every_steps == 0


def _r1(discriminator: Discriminator, real: Tensor, seed: int) -> Tensor:
    """In full precision: the gradient of a gradient is too much for bfloat16."""
    image = real.detach().float().requires_grad_()
    random = torch.Generator(image.device).manual_seed(seed)
    with torch.autocast(image.device.type, enabled=False):
        return gradient_penalty(discriminator(image), image, random)
