"""CycleGAN (Zhu et al. 2017, arXiv 1703.10593): two generators, two discriminators, cycle consistency."""

from torch import Tensor

from gan.config import NoiseConfig, TrainConfig
from gan.losses import adversarial_loss, discriminator_accuracy, discriminator_loss, l1_loss
from gan.methods.method import Batch, Method, PhaseLoss, build_cycle_networks, noised, weigh

__all__ = ["CycleGAN"]


class CycleGAN(Method):
    """Whole images in both directions (section 3). The attention mask is not used.

    The identity loss applies where both domains have three channels, that is with "rgb" conditioning.
    """

    def __init__(self, config: TrainConfig, noise: NoiseConfig, channels_a: int):
        super().__init__()
        self.config = config
        self.noise = noise
        self.has_identity = channels_a == 3 and config.loss.identity > 0
        self.generators, self.discriminators = build_cycle_networks(config, channels_a)

    def generator_phase(self, batch: Batch) -> PhaseLoss:
        generator_ab, generator_ba = self.generators["ab"], self.generators["ba"]
        discriminator_a, discriminator_b = self.discriminators["a"], self.discriminators["b"]
        kind = self.config.adversarial

        # Translate to the other domain and back.
        fake_b = generator_ab(batch.image_a)
        fake_a = noised(generator_ba(batch.image_b), batch, self.config, self.noise)
        cycled_a = generator_ba(fake_b)
        cycled_b = generator_ab(fake_a)

        # Name what the generators want.
        terms = {
            "adversarial_b": adversarial_loss(discriminator_b(fake_b), kind),
            "adversarial_a": adversarial_loss(discriminator_a(fake_a), kind),
            "cycle_a": l1_loss(cycled_a, batch.clean_a),
            "cycle_b": l1_loss(cycled_b, batch.image_b),
        }
        if self.has_identity:
            terms["identity_b"] = l1_loss(generator_ab(batch.image_b), batch.image_b)
            terms["identity_a"] = l1_loss(generator_ba(batch.image_a), batch.clean_a)
        return weigh(terms, self.config.loss)._replace(fakes={"a": fake_a, "b": fake_b})

    def discriminator_phase(self, batch: Batch, fakes: dict[str, Tensor]) -> PhaseLoss:
        discriminator_a, discriminator_b = self.discriminators["a"], self.discriminators["b"]
        kind = self.config.adversarial
        real_a, judged_a = discriminator_a(batch.image_a), discriminator_a(fakes["a"])
        real_b, judged_b = discriminator_b(batch.image_b), discriminator_b(fakes["b"])
        loss_a = discriminator_loss(real_a, judged_a, kind)
        loss_b = discriminator_loss(real_b, judged_b, kind)
        terms = {
            "discriminator_a": loss_a.detach(),
            "discriminator_b": loss_b.detach(),
            "accuracy_a": discriminator_accuracy(real_a, judged_a, kind),
            "accuracy_b": discriminator_accuracy(real_b, judged_b, kind),
        }
        return PhaseLoss(loss_a + loss_b, terms, {})
