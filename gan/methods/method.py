"""What every translation method is to the training loop and to the translator."""

from abc import ABC, abstractmethod
from typing import NamedTuple

from torch import Tensor, nn

from gan.augment import noise_onehot, noise_rgb
from gan.config import DiscriminatorConfig, GeneratorConfig, LossWeights, NoiseConfig, TrainConfig
from gan.discriminators import MultiScaleDiscriminator
from gan.generators import ResnetGenerator

__all__ = ["Batch", "Method", "PhaseLoss", "build_cycle_networks", "noised", "weigh"]


class Batch(NamedTuple):
    """One step's images on the device. The suffix names the domain: a = segmentation, b = photographs."""

    image_a: Tensor
    """float [N, Ca, H, W] in [-1, 1], the conditioning image with its noise."""
    clean_a: Tensor
    """The same without noise: what the way back from a photograph should find."""
    attention_a: Tensor
    """float [N, 1, H, W], 1 = translate, 0 = background."""
    image_b: Tensor
    """float [N, 3, H, W] in [-1, 1], unpaired photographs."""
    noise_level: Tensor
    """float [N, 1, H, W] in [-1, 1], for the noise on fakes of domain A; `image_a` has its own already."""


class PhaseLoss(NamedTuple):
    """What one phase of a step yields."""

    total: Tensor
    """Weighted sum to descend."""
    terms: dict[str, Tensor]
    """The unweighted terms, and measures such as discriminator accuracy, for the log; detached."""
    fakes: dict[str, Tensor]
    """Images for the pools, by name; the discriminator phase is handed them back as the pools answer."""


class Method(nn.Module, ABC):
    """Two groups of networks trained in turn, and how they translate.

    A step is: `generator_phase(batch)` -> descend; the fakes pass through the pools;
    `discriminator_phase(batch, fakes)` -> descend. While one phase trains, the other group's weights are
    frozen.
    """

    generators: nn.ModuleDict
    """Trained in the generator phase, averaged, and saved in snapshots."""
    discriminators: nn.ModuleDict
    """Trained in the discriminator phase."""

    @abstractmethod
    def generator_phase(self, batch: Batch) -> PhaseLoss:
        """Translate, and say what the generators want."""

    @abstractmethod
    def discriminator_phase(self, batch: Batch, fakes: dict[str, Tensor]) -> PhaseLoss:
        """Judge reals and the pools' fakes, and say what the discriminators want."""


def weigh(terms: dict[str, Tensor], weights: LossWeights) -> PhaseLoss:
    """Sum named terms, each by the weight whose name starts its own ("cycle_a" counts by `cycle`)."""
    total = sum(term * getattr(weights, name.rsplit("_", 1)[0]) for name, term in terms.items())
    return PhaseLoss(total, {name: term.detach() for name, term in terms.items()}, {})


def noised(fake_a: Tensor, batch: Batch, config: TrainConfig, noise: NoiseConfig) -> Tensor:
    """A drawn segmentation image with the noise that labels have: float [N, Ca, H, W] in [-1, 1].

    Without it the discriminator of domain A would know fakes by their lack of noise, and the way back to a
    photograph could read hidden hints from them.
    """
    add_noise = noise_rgb if config.conditioning == "rgb" else noise_onehot
    return add_noise(fake_a, batch.noise_level, noise)


def build_cycle_networks(config: TrainConfig, channels_a: int) -> tuple[nn.ModuleDict, nn.ModuleDict]:
    """Generators "ab", "ba" and discriminators "a", "b" of a two-way method; weights are not drawn yet."""
    generator: GeneratorConfig = config.generator
    discriminator: DiscriminatorConfig = config.discriminator
    generators = nn.ModuleDict(
        {
            "ab": ResnetGenerator(generator, channels_a, 3),
            "ba": ResnetGenerator(generator, 3, channels_a),
        }
    )
    discriminators = nn.ModuleDict(
        {
            "a": MultiScaleDiscriminator(discriminator, channels_a),
            "b": MultiScaleDiscriminator(discriminator, 3),
        }
    )
    return generators, discriminators
