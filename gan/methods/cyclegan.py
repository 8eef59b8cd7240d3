"""CycleGAN (Zhu et al. 2017, arXiv 1703.10593): two generators, two discriminators, cycle consistency."""

from torch import Tensor

from gan.conditioning import DomainA
from gan.config import TrainConfig
from gan.methods.background import remembered_b, show_b
from gan.methods.cycle import (
    Cycle,
    CycleGenerators,
    build_discriminators,
    cycle_terms,
    identities,
    noised,
    pair_terms,
)
from gan.methods.discriminating import Shown, discriminate
from gan.methods.method import Batch, Method, PhaseLoss, weigh

__all__ = ["CycleGAN"]


class CycleGAN(Method):
    """Whole images in both directions (section 3). The attention mask is not used."""

    def __init__(self, config: TrainConfig, domain: DomainA, generators: CycleGenerators):
        super().__init__(generators, build_discriminators(config, domain))
        self.config = config
        self.domain = domain

    def generator_phase(self, batch: Batch) -> PhaseLoss:
        generator_ab, generator_ba = self.generators["ab"], self.generators["ba"]

        # Translate to the other domain and back.
        fake_b = generator_ab(batch.image_a)
        drawn_a = generator_ba(batch.image_b)
        fake_a = noised(drawn_a, batch, self.config, self.domain)
        drawn = Cycle(fake_a, fake_b, cycled_a=generator_ba(fake_b), cycled_b=generator_ab(fake_a))

        # Name what the generators want.
        terms = cycle_terms(drawn, batch, self.discriminators, self.config)
        terms |= identities(self.generators, batch, self.config)
        terms |= pair_terms(drawn_a, fake_b, batch, self.config)
        return weigh(terms, self.config.loss, {"a": fake_a, "b": remembered_b(fake_b, batch, self.config)})

    def discriminator_phase(self, batch: Batch, fakes: dict[str, Tensor]) -> PhaseLoss:
        shown_a = Shown(self.discriminators["a"], batch.image_a, fakes["a"])
        shown_b = show_b(self.discriminators["b"], fakes["b"], batch, self.config)
        return discriminate({"a": shown_a, "b": shown_b}, batch, self.config)
