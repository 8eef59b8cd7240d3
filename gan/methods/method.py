"""What every translation method is to the training loop and to the translator."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gan.config import LossWeights
from gan.layers import init_weights
from gan.share import WHOLE, Share

__all__ = ["Batch", "Generators", "Method", "PhaseLoss", "weigh"]


INITIAL_DEVIATION = 0.02


class Batch(NamedTuple):
    """One step's images on the device. The suffix names the domain: a = segmentation, b = photographs."""

    image_a: Tensor
    """float [N, Ca, H, W] in [-1, 1], the conditioning image with its noise."""
    clean_a: Tensor
    """The same without noise: what the way back from a photograph should find."""
    attention_a: Tensor
    """float [N, 1, H, W], 1 = translate, 0 = background."""
    label_map: Tensor
    """uint8 [N, H, W] of class ids."""
    image_b: Tensor
    """float [N, 3, H, W] in [-1, 1], photographs; of the labels' own scenes with `train.paired` only."""
    noise_level: Tensor
    """float [N, 1, H, W] in [-1, 1], for the noise on fakes of domain A; `image_a` has its own already."""
    num_images_seen: int
    """Progress of the run before this step."""
    share: Share = WHOLE
    """Which of the global batch's images these are."""


class PhaseLoss(NamedTuple):
    """What one phase of a step yields."""

    total: Tensor
    """Weighted sum to descend."""
    terms: dict[str, Tensor]
    """The unweighted terms, and measures such as discriminator accuracy, for the log; detached."""
    fakes: dict[str, Tensor]
    """Images for the pools, by name; the discriminator phase is handed them back as the pools answer."""


class Generators(nn.ModuleDict, ABC):
    """The networks that draw, and how they do: averaged while a method trains, saved in snapshots, run by the
    translator."""

    size_multiple: int
    """Heights and widths that are drawn must be multiples of it."""
    only_size: tuple[int, int] | None = None
    """Height and width in px that alone can be drawn; None = any."""
    draws_a = True
    """False where a method learns no way back from photographs; `draw_a` is then never called."""

    @abstractmethod
    def draw_b(self, image_a: Tensor, attention_a: Tensor, backdrop: Tensor | None) -> Tensor:
        """A photo-like picture for each conditioning image: float [N, 3, H, W] in [-1, 1].

        Args:
            image_a: float [N, Ca, H, W] in [-1, 1].
            attention_a: float [N, 1, H, W], the label's mask.
            backdrop: float [N, 3, H, W], what stands outside the mask (`gan.attention.backdrop_of`); None =
                the network draws that too, as all but attention_cyclegan's and uaggan's do.
        """

    @abstractmethod
    def draw_a(self, image_b: Tensor) -> Tensor:
        """A segmentation image for each photograph: float [N, 3, H, W] -> [N, Ca, H, W] in [-1, 1]."""

    def learned_attention_a(self, image_a: Tensor, attention_a: Tensor) -> Tensor | None:
        """The attention masks that were learned for what `draw_b` is given: float [N, 1, H, W] in [0, 1],
        1 = translate, 0 = keep; None = none are."""
        return None

    def learned_attention_b(self, image_b: Tensor) -> Tensor | None:
        """Those for what `draw_a` is given, float [N, 3, H, W]."""
        return None


class Method(nn.Module, ABC):
    """Groups of networks trained in turn, and what each group wants.

    A step is: `generator_phase(batch)` -> descend; the fakes pass through the pools;
    `discriminator_phase(batch, fakes)` -> descend. While one phase trains, the other phase's weights are
    frozen.
    """

    generators: Generators
    """Trained in the generator phase."""
    companions: nn.ModuleDict
    """Trained in the generator phase too, but of no use afterwards: not averaged, not saved in snapshots."""
    discriminators: nn.ModuleDict
    """Trained in the discriminator phase."""

    def __init__(self, generators: Generators, discriminators: nn.ModuleDict):
        super().__init__()
        self.generators = generators
        self.companions = nn.ModuleDict()
        self.discriminators = discriminators

    def draw_weights(self, random: torch.Generator) -> None:
        """Draw the initial weights of convolutions and linear layers from N(0, 0.02)."""
        init_weights(self, INITIAL_DEVIATION, random)

    def weights(self, phase: str) -> list[nn.Parameter]:
        """What "generators" or "discriminators", the phase, trains."""
        if phase == "discriminators":
            return list(self.discriminators.parameters())
        return [*self.generators.parameters(), *self.companions.parameters()]

    @abstractmethod
    def generator_phase(self, batch: Batch) -> PhaseLoss:
        """Translate, and say what the generators want."""

    @abstractmethod
    def discriminator_phase(self, batch: Batch, fakes: dict[str, Tensor]) -> PhaseLoss:
        """Judge reals and the pools' fakes, and say what the discriminators want."""

    def constrain(self) -> None:
        """Bring weights back into their range after an optimiser step; most methods have no such range."""


def weigh(terms: dict[str, Tensor], weights: LossWeights, fakes: dict[str, Tensor]) -> PhaseLoss:
    """Sum the generators' named terms, each by its weight."""
    total = sum(term * weights.of(name) for name, term in terms.items())
    return PhaseLoss(total, {name: term.detach() for name, term in terms.items()}, fakes)
