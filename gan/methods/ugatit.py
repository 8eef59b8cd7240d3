"""UGATIT (Kim et al. 2020, arXiv 1907.10830): a cycle whose networks attend to what tells the domains apart,
and whose generators choose how much of an image's shape and texture to change.

Beside the losses of a cycle, each generator tells images to translate from images of the domain that it
draws. Discriminators see the newest fakes (`pool_images` 0 in the preset).
"""

import torch
from torch import Tensor, nn

from gan.adaptive_norm import clip_rho, set_variance
from gan.class_activation import class_activation_loss
from gan.conditioning import DomainA
from gan.config import TrainConfig
from gan.losses import l1_loss
from gan.methods.background import remembered_b, show_b
from gan.methods.cycle import Cycle, cycle_terms, noised
from gan.methods.discriminating import Shown, discriminate
from gan.methods.method import Batch, Generators, Method, PhaseLoss, weigh
from gan.ugatit_discriminator import GlobalLocalDiscriminator
from gan.ugatit_generator import UgatitDrawn, UgatitGenerator

__all__ = ["UGATIT", "UgatitGenerators"]


class UgatitGenerators(Generators):
    """A generator for each direction: "ab" draws photographs, "ba" draws segmentation images."""

    def __init__(self, config: TrainConfig, domain: DomainA):
        settings = {
            "image_size": config.only_size,
            "masks_cam_input": config.ugatit.masks_cam_input,
            "masks_features": config.ugatit.masks_features,
        }
        super().__init__(
            {
                "ab": UgatitGenerator(config.generator, domain.channels, 3, **settings),
                "ba": UgatitGenerator(config.generator, 3, domain.channels, **settings),
            }
        )
        set_variance(self, config.ugatit.norm_variance)
        self.size_multiple = self["ab"].size_multiple
        self.only_size = self["ab"].image_size

    def draw_b(self, image_a: Tensor, attention_a: Tensor, backdrop: Tensor | None) -> Tensor:
        return self["ab"](image_a, attention_a).image

    def draw_a(self, image_b: Tensor) -> Tensor:
        return self["ba"](image_b).image

    def learned_attention_a(self, image_a: Tensor, attention_a: Tensor) -> Tensor | None:
        return self["ab"].attention(image_a, attention_a)

    def learned_attention_b(self, image_b: Tensor) -> Tensor | None:
        return self["ba"].attention(image_b)


class UGATIT(Method):
    """Two generators, and a global and a local discriminator for each domain.

    The label's mask is used only by the options that name it. A picture drawn from a label has its label's
    mask, as the geometry stays; photographs and what is drawn from them have none.

    The paper sums what its judgements (patches and classifier, global and local: four) say, reals and fakes
    alike. Losses elsewhere are means, so both phases multiply: `adversarial_a` and `adversarial_b` are sums
    over the judgements, and `discriminator_a` and `discriminator_b` in the log are half the mean.
    """

    def __init__(self, config: TrainConfig, domain: DomainA, generators: UgatitGenerators):
        width = config.discriminator.width
        discriminators = nn.ModuleDict(
            {
                "a": GlobalLocalDiscriminator(config.ugatit, domain.channels, width),
                "b": GlobalLocalDiscriminator(config.ugatit, 3, width),
            }
        )
        super().__init__(generators, discriminators)
        self.config = config
        self.domain = domain
        self.num_judgements = discriminators["b"].num_judgements

    def generator_phase(self, batch: Batch) -> PhaseLoss:
        generator_ab, generator_ba = self.generators["ab"], self.generators["ba"]

        # Translate to the other domain and back.
        from_a, from_b = generator_ab(batch.image_a, batch.attention_a), generator_ba(batch.image_b)
        fake_b, fake_a = from_a.image, noised(from_b.image, batch, self.config, self.domain)
        cycled_a = generator_ba(fake_b, batch.attention_a).image
        drawn = Cycle(fake_a, fake_b, cycled_a, cycled_b=generator_ab(fake_a).image)

        # Name what the generators want.
        terms = cycle_terms(drawn, batch, self.discriminators, self.config)
        terms["adversarial_a"] = terms["adversarial_a"] * self.num_judgements
        terms["adversarial_b"] = terms["adversarial_b"] * self.num_judgements
        terms |= self.same_domain_terms(from_a, from_b, batch)
        return weigh(terms, self.config.loss, {"a": fake_a, "b": remembered_b(fake_b, batch, self.config)})

    def discriminator_phase(self, batch: Batch, fakes: dict[str, Tensor]) -> PhaseLoss:
        shown_a = Shown(self.discriminators["a"], batch.image_a, fakes["a"])
        shown_b = show_b(self.discriminators["b"], fakes["b"], batch, self.config)
        judged = discriminate({"a": shown_a, "b": shown_b}, batch, self.config)
        return judged._replace(total=judged.total * (2 * self.num_judgements))

    def draw_weights(self, random: torch.Generator) -> None:
        """They stay as PyTorch draws them, as in the paper's code."""

    def constrain(self) -> None:
        clip_rho(self.generators)

    def same_domain_terms(self, from_a: UgatitDrawn, from_b: UgatitDrawn, batch: Batch) -> dict[str, Tensor]:
        """Identity and class activation losses, which both need images that are in a generator's domain
        already (section 3.2.1).

        None where the domains differ in channels ("onehot" conditioning), and none that would weigh nothing.
        """
        weights = self.config.loss
        if batch.image_a.shape[1] != 3 or weights.identity == weights.cam == 0:
            return {}
        same_b = self.generators["ab"](batch.image_b)
        same_a = self.generators["ba"](batch.image_a, batch.attention_a)
        terms = {}
        if weights.identity:
            terms["identity_b"] = l1_loss(same_b.image, batch.image_b)
            terms["identity_a"] = l1_loss(same_a.image, batch.clean_a)
        if weights.cam:
            terms["cam_b"] = class_activation_loss(from_a.logits, same_b.logits)
            terms["cam_a"] = class_activation_loss(from_b.logits, same_a.logits)
        return terms
