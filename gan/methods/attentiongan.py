"""AttentionGAN (Tang et al. 2021, arXiv 1911.11897): CycleGAN whose generators put the picture together
under attention masks of their own (`generator.num_masks`).

The variant v2 (scheme II of the paper) is CycleGAN with another generator and nothing else. v1 (scheme I,
arXiv 1903.12296) has a single mask, keeps it smooth and the picture near its input, and lets the adversarial
loss lead at first.
"""

from gan.config import AttentionganConfig, LossWeights, TrainConfig
from gan.losses import l1_loss, total_variation_loss
from gan.methods.background import remembered_b
from gan.methods.cycle import Cycle, cycle_terms, identities, noised
from gan.methods.cyclegan import CycleGAN
from gan.methods.method import Batch, PhaseLoss, weigh

__all__ = ["AttentionGAN", "weights_at"]

LOOKS_REAL = ("adversarial_a", "adversarial_b", "mask_variation")
STAYS_CLOSE = ("cycle", "identity", "pixel")


class AttentionGAN(CycleGAN):
    """CycleGAN on masked generators. The label's attention mask is not used: the masks are learned."""

    def generator_phase(self, batch: Batch) -> PhaseLoss:
        generator_ab, generator_ba = self.generators["ab"], self.generators["ba"]

        # Translate to the other domain and back.
        drawn_a, drawn_b = generator_ba.draw(batch.image_b), generator_ab.draw(batch.image_a)
        fake_a, fake_b = noised(drawn_a.image, batch, self.config, self.domain), drawn_b.image
        drawn = Cycle(fake_a, fake_b, cycled_a=generator_ba(fake_b), cycled_b=generator_ab(fake_a))

        # Name what the generators want.
        terms = cycle_terms(drawn, batch, self.discriminators, self.config)
        terms |= identities(self.generators, batch, self.config)
        if self.config.loss.mask_variation:
            terms["mask_variation_a"] = total_variation_loss(drawn_a.masks)
            terms["mask_variation_b"] = total_variation_loss(drawn_b.masks)
        if self.config.loss.pixel:
            terms["pixel_a"] = l1_loss(drawn_a.image, batch.image_b)
            terms["pixel_b"] = l1_loss(drawn_b.image, batch.clean_a)
        weights = weights_at(batch.num_images_seen, self.config)
        return weigh(terms, weights, {"a": fake_a, "b": remembered_b(fake_b, batch, self.config)})


def weights_at(num_images_seen: int, config: TrainConfig) -> LossWeights:
    """Weights of the losses at a moment of the run; those of v2 never change."""
    if config.attentiongan.variant == "v2":
        return config.loss
    share = reconstruction_share_at(num_images_seen, config.attentiongan, total_images=config.total_images)
    return shared_out(config.loss, share)


def reconstruction_share_at(num_images_seen: int, config: AttentionganConfig, *, total_images: int) -> float:
    """The curriculum's r in [0, 1]: low while the run starts, and then the usual one."""
    is_early = num_images_seen < config.starting_fraction * total_images
    return config.starting_share if is_early else config.reconstruction_share


def shared_out(weights: LossWeights, share: float) -> LossWeights:
    """The losses that tie a picture to its input (cycle, identity, pixel) times `share`, and those on how it
    looks (adversarial, variation of the mask) times 1 - `share`."""
    scaled = {name: getattr(weights, name) * (1 - share) for name in LOOKS_REAL}
    scaled |= {name: getattr(weights, name) * share for name in STAYS_CLOSE}
    return weights.model_copy(update=scaled)
