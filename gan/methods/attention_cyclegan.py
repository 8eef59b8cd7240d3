"""CycleGAN guided by an attention mask that comes from the label (after NUbots' NUgan and Mejjati et al.
2018, arXiv 1806.02311).

The mask of a label is 1 on every class but the background; the mask of a photograph is 1 everywhere. What
stands outside a label's mask is the choice `background`:

- "generate": the generator draws it too; the mask weighs the cycle loss instead of the pixels.
- "mask_both": the discriminator sees fakes and photographs under a label's mask, and only patches under it
  count.
- "photo": it is pasted from a photograph.
- "keep": the label's own black. Photographs have no such black, so the discriminator wins at once; kept for
  comparison.
"""

import torch
from torch import Tensor

from gan.attention import BLACK, composite, place_background
from gan.config import NoiseConfig, TrainConfig
from gan.losses import adversarial_loss, discriminator_accuracy, discriminator_loss, l1_loss
from gan.methods.method import Batch, Method, PhaseLoss, build_cycle_networks, noised, weigh

__all__ = ["AttentionCycleGAN"]


class AttentionCycleGAN(Method):
    """Two generators, two discriminators, and the label's mask between them.

    The identity loss applies where both domains have three channels, that is with "rgb" conditioning.
    """

    def __init__(self, config: TrainConfig, noise: NoiseConfig, channels_a: int):
        super().__init__()
        self.config = config
        self.noise = noise
        self.draws_background = config.background == "generate"
        self.masks_discriminator = config.background == "mask_both"
        self.has_identity = channels_a == 3 and config.loss.identity > 0
        self.generators, self.discriminators = build_cycle_networks(config, channels_a)

    def generator_phase(self, batch: Batch) -> PhaseLoss:
        generator_ab, generator_ba = self.generators["ab"], self.generators["ba"]
        discriminator_a, discriminator_b = self.discriminators["a"], self.discriminators["b"]
        kind, attention = self.config.adversarial, batch.attention_a
        patch_weight = attention if self.masks_discriminator else None

        # Translate to the other domain and back; the geometry stays, so the way back has the same mask.
        fake_b = place_background(
            generator_ab(batch.image_a),
            self.config.background,
            attention=attention,
            image_a=batch.image_a,
            image_b=batch.image_b.roll(1, dims=0),
        )
        fake_a = noised(generator_ba(batch.image_b), batch, self.config, self.noise)
        cycled_a = generator_ba(fake_b)
        if not self.draws_background:
            cycled_a = composite(cycled_a, batch.clean_a, attention)
        cycled_b = generator_ab(fake_a)

        # Name what the generators want.
        terms = {
            "adversarial_b": adversarial_loss(discriminator_b(fake_b), kind, weight=patch_weight),
            "adversarial_a": adversarial_loss(discriminator_a(fake_a), kind),
            "cycle_a": l1_loss(cycled_a, batch.clean_a, weight=self.label_weight(attention)),
            "cycle_b": l1_loss(cycled_b, batch.image_b),
        }
        if self.has_identity:
            terms["identity_b"] = l1_loss(generator_ab(batch.image_b), batch.image_b)
            label_weight = self.label_weight(attention)
            terms["identity_a"] = l1_loss(generator_ba(batch.image_a), batch.clean_a, weight=label_weight)
        remembered_b = torch.cat([fake_b, attention], 1) if self.masks_discriminator else fake_b
        return weigh(terms, self.config.loss)._replace(fakes={"a": fake_a, "b": remembered_b})

    def discriminator_phase(self, batch: Batch, fakes: dict[str, Tensor]) -> PhaseLoss:
        discriminator_a, discriminator_b = self.discriminators["a"], self.discriminators["b"]
        kind = self.config.adversarial

        # A masked fake is judged beside a photograph under a label's mask; unpaired, any label will do.
        fake_b, image_b, weights = fakes["b"], batch.image_b, {}
        if self.masks_discriminator:
            fake_b, fake_attention = fake_b[:, :3], fake_b[:, 3:]
            image_b = composite(image_b, BLACK, batch.attention_a)
            weights = {"real_weight": batch.attention_a, "fake_weight": fake_attention}

        # Judge both domains.
        real_a, judged_a = discriminator_a(batch.image_a), discriminator_a(fakes["a"])
        real_b, judged_b = discriminator_b(image_b), discriminator_b(fake_b)
        loss_a = discriminator_loss(real_a, judged_a, kind)
        loss_b = discriminator_loss(real_b, judged_b, kind, **weights)
        terms = {
            "discriminator_a": loss_a.detach(),
            "discriminator_b": loss_b.detach(),
            "accuracy_a": discriminator_accuracy(real_a, judged_a, kind),
            "accuracy_b": discriminator_accuracy(real_b, judged_b, kind, **weights),
        }
        return PhaseLoss(loss_a + loss_b, terms, {})

    def label_weight(self, attention: Tensor) -> Tensor:
        """Weight of each pixel where a label is compared: 1 under the mask, else `loss.background`."""
        return attention + self.config.loss.background * (1 - attention)
