"""What the two-way methods share: networks for both directions, and the losses of a cycle."""

from typing import NamedTuple

from torch import Tensor, nn

from gan.conditioning import DomainA
from gan.config import TrainConfig
from gan.discriminators import MultiScaleDiscriminator
from gan.generators import build_generator
from gan.losses import adversarial_loss, class_balance, l1_loss
from gan.methods.background import adversarial_b, background_terms
from gan.methods.method import Batch, Generators
from gan.noise import noise_onehot, noise_rgb

__all__ = [
    "Cycle",
    "CycleGenerators",
    "build_discriminators",
    "class_weight",
    "cycle_terms",
    "identities",
    "noised",
    "pair_terms",
]


class CycleGenerators(Generators):
    """A generator for each direction: "ab" draws photographs, "ba" draws segmentation images."""

    def __init__(self, config: TrainConfig, domain: DomainA):
        super().__init__(
            {
                "ab": build_generator(config.generator, domain.channels, 3),
                "ba": build_generator(config.generator, 3, domain.channels),
            }
        )
        self.size_multiple = self["ab"].size_multiple

    def draw_b(self, image_a: Tensor, attention_a: Tensor, backdrop: Tensor | None) -> Tensor:
        return self["ab"](image_a)

    def draw_a(self, image_b: Tensor) -> Tensor:
        return self["ba"](image_b)

    def learned_attention_a(self, image_a: Tensor, attention_a: Tensor) -> Tensor | None:
        return self["ab"].attention(image_a)

    def learned_attention_b(self, image_b: Tensor) -> Tensor | None:
        return self["ba"].attention(image_b)


class Cycle(NamedTuple):
    """Both domains drawn and drawn back. Domain A float [N, Ca, H, W], B float [N, 3, H, W], in [-1, 1]."""

    fake_a: Tensor
    fake_b: Tensor
    cycled_a: Tensor
    cycled_b: Tensor


def cycle_terms(
    drawn: Cycle,
    batch: Batch,
    discriminators: nn.ModuleDict,
    config: TrainConfig,
    *,
    label_weight: Tensor | None = None,
) -> dict[str, Tensor]:
    """Adversarial and cycle consistency losses of both directions (CycleGAN, arXiv 1703.10593, eq. 1 and 2),
    and what is wanted of a background that should stay.

    Args:
        drawn: the images.
        batch: what they were drawn from.
        discriminators: "a" and "b".
        config: names the adversarial objective.
        label_weight: float [N, 1, H, W] in [0, 1], where labels are compared; None = everywhere.
    """
    return {
        "adversarial_b": adversarial_b(discriminators["b"], drawn.fake_b, batch, config),
        "adversarial_a": adversarial_loss(discriminators["a"](drawn.fake_a), config.adversarial),
        "cycle_a": l1_loss(drawn.cycled_a, batch.clean_a, weight=label_weight),
        "cycle_b": l1_loss(drawn.cycled_b, batch.image_b),
        **background_terms(drawn.fake_b, batch, config),
    }


def identities(
    generators: Generators, batch: Batch, config: TrainConfig, *, label_weight: Tensor | None = None
) -> dict[str, Tensor]:
    """Identity losses of both directions (arXiv 1703.10593, section 5.2): an image that is in a generator's
    domain already should stay as it is.

    None where the domains differ in channels ("onehot" conditioning), or where they would weigh nothing.
    """
    if config.loss.identity == 0 or batch.image_a.shape[1] != 3:
        return {}
    return {
        "identity_b": l1_loss(generators["ab"](batch.image_b), batch.image_b),
        "identity_a": l1_loss(generators["ba"](batch.image_a), batch.clean_a, weight=label_weight),
    }


def pair_terms(
    drawn_a: Tensor,
    fake_b: Tensor,
    batch: Batch,
    config: TrainConfig,
    *,
    picture_weight: Tensor | None = None,
    label_weight: Tensor | None = None,
) -> dict[str, Tensor]:
    """L1 between what is drawn and the other image of the pair, in both directions; none without
    `config.paired`.

    Args:
        drawn_a: float [N, Ca, H, W] in [-1, 1], drawn from the photographs, without noise.
        fake_b: float [N, 3, H, W] in [-1, 1], drawn from the labels.
        batch: the pairs.
        config: says whether they are any.
        picture_weight: float [N, 1, H, W] in [0, 1], where photographs are compared; None = everywhere.
        label_weight: float [N, 1, H, W] in [0, 1], where labels are compared; None = everywhere.
    """
    if not config.paired:
        return {}
    return {
        "paired_b": l1_loss(fake_b, batch.image_b, weight=picture_weight),
        "paired_a": l1_loss(drawn_a, batch.clean_a, weight=label_weight),
    }


def class_weight(batch: Batch, config: TrainConfig, domain: DomainA) -> Tensor | float:
    """How much each pixel of a label weighs by its class: float [N, 1, H, W] with mean 1, or 1 for all."""
    power = config.loss.class_balance
    if power == 0 and not domain.ignored:
        return 1.0
    return class_balance(batch.label_map, domain.num_classes, power, ignored=domain.ignored)


def noised(fake_a: Tensor, batch: Batch, config: TrainConfig, domain: DomainA) -> Tensor:
    """A drawn segmentation image with the noise that labels have: float [N, Ca, H, W] in [-1, 1].

    Without it the discriminator of domain A would know fakes by their lack of noise, and the way back to a
    photograph could read hidden hints from them.
    """
    add_noise = noise_onehot if config.conditioning == "onehot" else noise_rgb
    return add_noise(fake_a, batch.noise_level, domain.noise)


def build_discriminators(config: TrainConfig, domain: DomainA) -> nn.ModuleDict:
    """Discriminators "a" and "b"; weights are not drawn yet."""
    return nn.ModuleDict(
        {
            "a": MultiScaleDiscriminator(config.discriminator, domain.channels),
            "b": MultiScaleDiscriminator(config.discriminator, 3),
        }
    )
