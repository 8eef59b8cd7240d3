"""The way back is a segmenter (ideas of USIS, arXiv 2109.14715, and OASIS, arXiv 2012.04781).

A generator draws a photo-like image from one-hot labels; a segmenter is to read the label back from it, and
both are trained by that; a discriminator of photographs keeps the images real. No colours are regressed, so
nothing of a label can be hidden in a picture's pixels, and near-equal palette colours are no problem.

With `loss.cycle` above 0 the segmenter also reads photographs: its soft labels must pass for labels
(`loss.adversarial_a`), and the photograph must come back from them. That is a CycleGAN whose generator of
segmentation images is a segmenter.
"""

import torch
from torch import Tensor, nn

from gan.conditioning import DomainA
from gan.config import TrainConfig
from gan.generators import build_generator
from gan.latent import latent_map
from gan.losses import adversarial_loss, class_balance, l1_loss, segmentation_loss
from gan.methods.background import adversarial_b, remembered_b, show_b
from gan.methods.cycle import build_discriminators, noised
from gan.methods.discriminating import Shown, discriminate
from gan.methods.method import Batch, Generators, Method, PhaseLoss, weigh
from gan.segmenter import Segmenter
from gan.spade_generator import SpadeGenerator

__all__ = ["SegBack", "SegBackGenerators"]


class SegBackGenerators(Generators):
    """Network "ab" draws photographs from one-hot labels; "ba" is the segmenter that reads labels."""

    def __init__(self, config: TrainConfig, domain: DomainA):
        build = SpadeGenerator if config.segback.generator == "spade" else build_generator
        num_latent = config.segback.latent_channels
        super().__init__(
            {
                "ab": build(config.generator, domain.channels + num_latent, 3),
                "ba": Segmenter(3, domain.num_classes, width=config.segback.segmenter_width),
            }
        )
        self.num_latent = num_latent
        self.size_multiple = max(self["ab"].size_multiple, self["ba"].size_multiple)

    def draw_b(self, image_a: Tensor, attention_a: Tensor, backdrop: Tensor | None) -> Tensor:
        return self["ab"](torch.cat([image_a, latent_map(image_a, self.num_latent)], 1))

    def draw_a(self, image_b: Tensor) -> Tensor:
        return self["ba"](image_b).softmax(1) * 2 - 1


class SegBack(Method):
    """A generator, a segmenter, and a discriminator of photographs; with a cycle one of labels too."""

    def __init__(self, config: TrainConfig, domain: DomainA, generators: SegBackGenerators):
        discriminators = build_discriminators(config, domain)
        self.has_cycle = config.loss.cycle > 0
        if not self.has_cycle:
            discriminators = nn.ModuleDict({"b": discriminators["b"]})
        super().__init__(generators, discriminators)
        self.config = config
        self.domain = domain

    def generator_phase(self, batch: Batch) -> PhaseLoss:
        # Draw a photograph and read its label back.
        fake_b = self.generators.draw_b(batch.image_a, batch.attention_a, None)
        read_a = self.generators["ba"](fake_b)
        terms = {
            "adversarial_b": adversarial_b(self.discriminators["b"], fake_b, batch, self.config),
            "segmentation": segmentation_loss(read_a, batch.label_map, self.class_weight(batch)),
        }
        fakes = {"b": remembered_b(fake_b, batch, self.config)}

        # Read a photograph's label and draw it back.
        if self.has_cycle:
            fake_a = noised(self.generators.draw_a(batch.image_b), batch, self.config, self.domain)
            terms["adversarial_a"] = adversarial_loss(
                self.discriminators["a"](fake_a), self.config.adversarial
            )
            cycled_b = self.generators.draw_b(fake_a, batch.attention_a, None)
            terms["cycle_b"] = l1_loss(cycled_b, batch.image_b)
            fakes["a"] = fake_a
        return weigh(terms, self.config.loss, fakes)

    def discriminator_phase(self, batch: Batch, fakes: dict[str, Tensor]) -> PhaseLoss:
        shown = {"b": show_b(self.discriminators["b"], fakes["b"], batch, self.config)}
        if self.has_cycle:
            shown["a"] = Shown(self.discriminators["a"], batch.image_a, fakes["a"])
        return discriminate(shown, batch, self.config)

    def class_weight(self, batch: Batch) -> Tensor:
        """Weight of each pixel by its label's class: float [N, 1, H, W]; 0 for what is not labelled."""
        power, domain = self.config.loss.class_balance, self.domain
        return class_balance(batch.label_map, domain.num_classes, power, ignored=domain.ignored)

    def draw_weights(self, random: torch.Generator) -> None:
        """The segmenter, which has to teach the generator, starts from weights with which it learns fast."""
        super().draw_weights(random)
        self.generators["ba"].draw_weights(random)
