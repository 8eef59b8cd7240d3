"""CycleGAN guided by an attention mask that comes from the label (after NUbots' NUgan and Mejjati et al.
2018, arXiv 1806.02311).

The mask of a label is 1 on every class but the background; the mask of a photograph is 1 everywhere. What
stands outside a label's mask is the choice `background`:

- "generate": the generator draws it too; the mask weighs the cycle loss instead of the pixels.
- "mask_both": the discriminator sees fakes and photographs under a label's mask, and only patches under it
  count.
- "photo": it is pasted from a photograph: in training from the next one of the batch, which at batch size 1
  is the one that the discriminator sees in the same step.
- "keep": it stays as it is. Of a label that is black, which photographs have none of, so the discriminator
  soon wins; kept for comparison. A render has a background that is worth keeping.
"""

from torch import Tensor

from gan.attention import backdrop_of, composite
from gan.conditioning import DomainA
from gan.config import TrainConfig
from gan.methods.background import remembered_b, show_b
from gan.methods.cycle import (
    Cycle,
    CycleGenerators,
    build_discriminators,
    class_weight,
    cycle_terms,
    identities,
    noised,
    pair_terms,
)
from gan.methods.discriminating import Shown, discriminate
from gan.methods.method import Batch, Method, PhaseLoss, weigh

__all__ = ["AttentionCycleGAN", "AttentionCycleGenerators"]


class AttentionCycleGenerators(CycleGenerators):
    """A generator for each direction, and the chosen background outside the label's mask."""

    def draw_b(self, image_a: Tensor, attention_a: Tensor, backdrop: Tensor | None) -> Tensor:
        drawn_b = self["ab"](image_a)
        return drawn_b if backdrop is None else composite(drawn_b, backdrop, attention_a)


class AttentionCycleGAN(Method):
    """Two generators, two discriminators, and the label's mask between them."""

    def __init__(self, config: TrainConfig, domain: DomainA, generators: AttentionCycleGenerators):
        super().__init__(generators, build_discriminators(config, domain))
        self.config = config
        self.domain = domain
        self.draws_background = config.background == "generate"

    def generator_phase(self, batch: Batch) -> PhaseLoss:
        generator_ab, generator_ba = self.generators["ab"], self.generators["ba"]
        attention, label_weight = batch.attention_a, self.label_weight(batch)

        # Translate to the other domain and back; the geometry stays, so the way back has the same mask.
        backdrop = backdrop_of(
            self.config.background, clean_a=batch.clean_a, image_b=batch.image_b.roll(1, dims=0)
        )
        fake_b = self.generators.draw_b(batch.image_a, attention, backdrop)
        drawn_a = generator_ba(batch.image_b)
        fake_a = noised(drawn_a, batch, self.config, self.domain)
        cycled_a = generator_ba(fake_b)
        if not self.draws_background:
            cycled_a = composite(cycled_a, batch.clean_a, attention)
        drawn = Cycle(fake_a, fake_b, cycled_a, cycled_b=generator_ab(fake_a))

        # Name what the generators want.
        terms = cycle_terms(drawn, batch, self.discriminators, self.config, label_weight=label_weight)
        terms |= identities(self.generators, batch, self.config, label_weight=label_weight)
        terms |= pair_terms(
            drawn_a,
            fake_b,
            batch,
            self.config,
            picture_weight=None if self.draws_background else attention,
            label_weight=label_weight,
        )
        return weigh(terms, self.config.loss, {"a": fake_a, "b": remembered_b(fake_b, batch, self.config)})

    def discriminator_phase(self, batch: Batch, fakes: dict[str, Tensor]) -> PhaseLoss:
        shown_a = Shown(self.discriminators["a"], batch.image_a, fakes["a"])
        shown_b = show_b(self.discriminators["b"], fakes["b"], batch, self.config)
        return discriminate({"a": shown_a, "b": shown_b}, batch, self.config)

    def label_weight(self, batch: Batch) -> Tensor:
        """Weight of each pixel where a label is compared: 1 under the mask, else `loss.background` where the
        background is drawn, and 0 where it is not; more for rare classes."""
        outside = self.config.loss.background if self.draws_background else 0.0
        weight = batch.attention_a + outside * (1 - batch.attention_a)
        return weight * class_weight(batch, self.config, self.domain)
