"""Unsupervised attention-guided translation (Mejjati et al., NeurIPS 2018, arXiv 1806.02311): a network of
each domain learns where to translate; elsewhere the image stays as it is.

A run has two parts, told apart by the images seen alone ("Attention-guided discriminator" in the paper):

- First, discriminators see whole images, and the attention networks train with the generators.
- From `uaggan.switch_fraction` of the run on, the attention networks' weights are frozen, and
  discriminators, their instance norm off, see images only where attention reaches `uaggan.threshold`: reals
  under their own mask, fakes under the mask of the image that they were drawn from. As in the authors' code,
  images in [-1, 1] are multiplied by the mask, so that 0, a mid-grey, stands outside of it, not black.

The label's own mask is not used. What is kept of a label is kept without its noise, which would give a fake
away.
"""

from functools import partial

import torch
from torch import Tensor
from torch.func import functional_call

from gan.attention import composite
from gan.attention_networks import AttentionNetwork
from gan.conditioning import DomainA
from gan.config import TrainConfig
from gan.losses import adversarial_loss, l1_loss
from gan.methods.cycle import CycleGenerators, build_discriminators, identities, noised
from gan.methods.discriminating import Shown, discriminate
from gan.methods.method import Batch, Method, PhaseLoss, weigh

__all__ = ["Uaggan", "UagganGenerators"]


class UagganGenerators(CycleGenerators):
    """A generator for each direction, and an attention network for each domain; all of them draw."""

    def __init__(self, config: TrainConfig, domain: DomainA):
        super().__init__(config, domain)
        self["attention_a"] = AttentionNetwork(domain.channels, config.uaggan.attention_width)
        self["attention_b"] = AttentionNetwork(3, config.uaggan.attention_width)

    def draw_b(self, image_a: Tensor, attention_a: Tensor, backdrop: Tensor | None) -> Tensor:
        assert backdrop is not None, "outside its mask uaggan keeps the conditioning image"
        return composite(self["ab"](image_a), backdrop, self["attention_a"](image_a))

    def draw_a(self, image_b: Tensor) -> Tensor:
        return composite(self["ba"](image_b), image_b, self["attention_b"](image_b))

    def learned_attention_a(self, image_a: Tensor, attention_a: Tensor) -> Tensor | None:
        return self["attention_a"](image_a)

    def learned_attention_b(self, image_b: Tensor) -> Tensor | None:
        return self["attention_b"](image_b)


class Uaggan(Method):
    """CycleGAN whose generators change an image under a learned mask only (arXiv 1806.02311, eq. 1).

    Masks are float [N, 1, H, W] in [0, 1]; the suffix names the domain of the image that a mask belongs to. A
    fake and the mask that it was drawn under go through the pool together, as channels of one image.
    """

    def __init__(self, config: TrainConfig, domain: DomainA, generators: UagganGenerators):
        super().__init__(generators, build_discriminators(config, domain))
        self.config = config
        self.domain = domain

    def generator_phase(self, batch: Batch) -> PhaseLoss:
        generator_ab, generator_ba = self.generators["ab"], self.generators["ba"]
        masked = self.is_masked(batch)

        # Translate to the other domain under the image's own mask.
        attention_a = self.attention("a", batch.image_a, frozen=masked)
        attention_b = self.attention("b", batch.image_b, frozen=masked)
        fake_b = composite(generator_ab(batch.image_a), batch.clean_a, attention_a)
        drawn_a = composite(generator_ba(batch.image_b), batch.image_b, attention_b)
        fake_a = noised(drawn_a, batch, self.config, self.domain)

        # Translate back under the mask that the other domain's network gives the fake.
        cycled_a = composite(generator_ba(fake_b), fake_b, self.attention("b", fake_b, frozen=masked))
        cycled_b = composite(generator_ab(fake_a), drawn_a, self.attention("a", fake_a, frozen=masked))

        # Name what the generators want.
        logits_b = self.discriminator("b", masked)(self.shown(fake_b, attention_a, masked))
        logits_a = self.discriminator("a", masked)(self.shown(fake_a, attention_b, masked))
        terms = {
            "adversarial_b": adversarial_loss(logits_b, self.config.adversarial),
            "adversarial_a": adversarial_loss(logits_a, self.config.adversarial),
            "cycle_a": l1_loss(cycled_a, batch.clean_a),
            "cycle_b": l1_loss(cycled_b, batch.image_b),
        }
        terms |= identities(self.generators, batch, self.config)
        fakes = {"a": torch.cat([fake_a, attention_b], 1), "b": torch.cat([fake_b, attention_a], 1)}
        return weigh(terms, self.config.loss, fakes)

    def discriminator_phase(self, batch: Batch, fakes: dict[str, Tensor]) -> PhaseLoss:
        masked = self.is_masked(batch)
        shown_a = self.shown_in("a", batch.image_a, fakes["a"], masked)
        shown_b = self.shown_in("b", batch.image_b, fakes["b"], masked)
        return discriminate({"a": shown_a, "b": shown_b}, batch, self.config)

    def shown_in(self, name: str, real: Tensor, fake_and_mask: Tensor, masked: bool) -> Shown:
        """What the discriminator of domain `name` is shown: reals [N, 3, H, W] under their own mask, and the
        pool's fakes [N, 3 + 1, H, W] under theirs."""
        if masked:
            real = self.shown(real, self.attention(name, real, frozen=True), masked)
        fake = self.shown(fake_and_mask[:, :3], fake_and_mask[:, 3:], masked)
        return Shown(self.discriminator(name, masked), real, fake)

    def is_masked(self, batch: Batch) -> bool:
        """True in the second part of the run."""
        return batch.num_images_seen >= self.config.uaggan.switch_fraction * self.config.total_images

    def attention(self, name: str, image: Tensor, *, frozen: bool) -> Tensor:
        """Masks by the attention network of domain `name`. Frozen, its weights get no gradient, and the
        optimiser leaves them alone; the image does, and so what drew it learns to be attended."""
        network = self.generators[f"attention_{name}"]
        weights = dict(network.named_parameters())
        if frozen:
            weights = {key: weight.detach() for key, weight in weights.items()}
        return functional_call(network, weights, (image,))

    def discriminator(self, name: str, masked: bool) -> partial[list[Tensor]]:
        """The discriminator of domain `name`, without instance norm where it is shown masked images."""
        return partial(self.discriminators[name], normalize=not masked)

    def shown(self, image: Tensor, attention: Tensor, masked: bool) -> Tensor:
        """What a discriminator sees of images [N, 3, H, W]: all of them, or x * 1[attention >= threshold]."""
        return image * (attention >= self.config.uaggan.threshold) if masked else image
