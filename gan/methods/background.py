"""What stands outside the label's mask, as the discriminator of photographs sees it.

With `background` "mask_both" it is black, on fakes and on photographs, and patches there count for nothing;
with `fixed_background.neutral_patches` fakes are judged under their mask and photographs as a whole.
"""

import torch
from torch import Tensor

from gan.attention import BLACK, composite
from gan.config import TrainConfig
from gan.losses import adversarial_loss, l1_loss
from gan.methods.discriminating import Discriminator, Shown
from gan.methods.method import Batch

__all__ = ["adversarial_b", "background_terms", "remembered_b", "show_b"]


def adversarial_b(discriminator: Discriminator, fake_b: Tensor, batch: Batch, config: TrainConfig) -> Tensor:
    """What the generator wants of its photographs, float [N, 3, H, W] in [-1, 1]."""
    attention = batch.attention_a
    if config.fixed_background.detach:
        fake_b = composite(fake_b, fake_b.detach(), attention)
    weight = attention if _is_masked(config) else None
    return adversarial_loss(discriminator(fake_b), config.adversarial, weight=weight)


def background_terms(fake_b: Tensor, batch: Batch, config: TrainConfig) -> dict[str, Tensor]:
    """L1 between what was drawn outside the mask and what stands there in the conditioning image."""
    if config.loss.fixed_background == 0:
        return {}
    outside = 1 - batch.attention_a
    return {"fixed_background": l1_loss(fake_b, batch.clean_a, weight=outside)}


def remembered_b(fake_b: Tensor, batch: Batch, config: TrainConfig) -> Tensor:
    """What the pool keeps of a fake: float [N, 3, H, W], or [N, 4, H, W] with its mask."""
    return torch.cat([fake_b, batch.attention_a], 1) if _is_masked(config) else fake_b


def show_b(discriminator: Discriminator, remembered: Tensor, batch: Batch, config: TrainConfig) -> Shown:
    """Photographs and what the pool answered, float [N, 3 or 4, H, W], as the discriminator is shown them."""
    if not _is_masked(config):
        return Shown(discriminator, batch.image_b, remembered)
    fake_b, fake_attention = remembered[:, :3], remembered[:, 3:]
    if config.drawn_background == "mask_both":
        # A masked fake is judged beside a photograph under a label's mask; unpaired, any label will do.
        image_b = composite(batch.image_b, BLACK, batch.attention_a)
        return Shown(discriminator, image_b, fake_b, batch.attention_a, fake_attention)
    return Shown(discriminator, batch.image_b, fake_b, fake_weight=fake_attention)


def _is_masked(config: TrainConfig) -> bool:
    return config.drawn_background == "mask_both" or config.fixed_background.neutral_patches
