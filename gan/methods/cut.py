"""CUT and FastCUT (Park et al. 2020, arXiv 2007.15651): one generator, one discriminator, and instead of a
way back the demand that each patch of a picture be known by the patch of the label that it was drawn from.

Labels and pictures pass the same encoder, so both need a way into it. With "rgb" conditioning they look
alike; with "onehot" a label has a channel per class and a picture three channels of its own, and what one
lacks is zero (ours; the paper has colour images only).
"""

import torch
from torch import Tensor, nn

from gan.conditioning import DomainA
from gan.config import TrainConfig
from gan.contrastive import PatchProjector, draw_locations, patch_nce_loss
from gan.generators import build_generator
from gan.methods.background import adversarial_b, background_terms, remembered_b, show_b
from gan.methods.cycle import build_discriminators
from gan.methods.discriminating import discriminate
from gan.methods.method import Batch, Generators, Method, PhaseLoss, weigh
from gan.schedule import derived_seed

__all__ = ["CUT", "CutGenerators"]

PICTURE_CHANNELS = 3


class CutGenerators(Generators):
    """The generator "ab", which draws photographs and whose encoder looks at labels and pictures."""

    draws_a = False

    def __init__(self, config: TrainConfig, domain: DomainA):
        num_label_channels = domain.channels if config.conditioning == "onehot" else 0
        in_channels = num_label_channels + PICTURE_CHANNELS
        super().__init__({"ab": build_generator(config.generator, in_channels, PICTURE_CHANNELS)})
        self.num_label_channels = num_label_channels
        """Input channels of labels alone; 0 = labels and pictures share theirs."""
        self.size_multiple = self["ab"].size_multiple

    def input_a(self, image_a: Tensor) -> Tensor:
        """What the network is given of a label: float [N, Ca, H, W] -> [N, Cin, H, W]."""
        return _padded(image_a, after=PICTURE_CHANNELS if self.num_label_channels else 0)

    def input_b(self, image_b: Tensor) -> Tensor:
        """What the network is given of a picture: float [N, 3, H, W] -> [N, Cin, H, W]."""
        return _padded(image_b, before=self.num_label_channels)

    def draw_b(self, image_a: Tensor, attention_a: Tensor, backdrop: Tensor | None) -> Tensor:
        return self["ab"](self.input_a(image_a))

    def draw_a(self, image_b: Tensor) -> Tensor:
        raise NotImplementedError("CUT learns no way back from photographs")

    def learned_attention_a(self, image_a: Tensor, attention_a: Tensor) -> Tensor | None:
        return self["ab"].attention(self.input_a(image_a))


class CUT(Method):
    """Adversarial loss, and PatchNCE between what is drawn and what it is drawn from (section 3)."""

    def __init__(self, config: TrainConfig, domain: DomainA, generators: CutGenerators):
        super().__init__(generators, nn.ModuleDict({"b": build_discriminators(config, domain)["b"]}))
        self.config = config
        self.layers = config.cut.layers_of(config.generator)
        self.companions["projector"] = PatchProjector(self._feature_channels(), config.cut.projector_width)

    def generator_phase(self, batch: Batch) -> PhaseLoss:
        # Draw labels, and photographs too where those should stay what they are.
        real = self.generators.input_a(batch.image_a)
        if self.config.cut.identity:
            real = torch.cat([real, self.generators.input_b(batch.image_b)])
        mirrored = self.mirrored(len(real), batch)
        drawn_b = self.generators["ab"](_mirror(real, mirrored))

        # Name what the generator wants.
        fake_b = _mirror(drawn_b, mirrored)[: len(batch.image_a)]
        terms = {
            "adversarial_b": adversarial_b(self.discriminators["b"], fake_b, batch, self.config),
            "nce": self.nce(real, drawn_b, mirrored, batch),
            **background_terms(fake_b, batch, self.config),
        }
        return weigh(terms, self.config.loss, {"b": remembered_b(fake_b, batch, self.config)})

    def discriminator_phase(self, batch: Batch, fakes: dict[str, Tensor]) -> PhaseLoss:
        shown_b = show_b(self.discriminators["b"], fakes["b"], batch, self.config)
        return discriminate({"b": shown_b}, batch, self.config)

    def mirrored(self, num: int, batch: Batch) -> Tensor | None:
        """bool [num, 1, 1, 1], which images are drawn mirrored (FastCUT's flip equivariance); None = none."""
        if not self.config.cut.flip_equivariance:
            return None
        random = self._random("mirror", batch)
        num_own, num_ranks = len(batch.image_a), batch.share.num_ranks
        shape = (num // num_own, num_own * num_ranks, 1, 1, 1)  # labels and photographs, of all ranks
        drawn = torch.rand(shape, generator=random, device=random.device) < 0.5
        return drawn[:, batch.share.of(num_own * num_ranks)].flatten(0, 1)

    def nce(self, real: Tensor, drawn_b: Tensor, mirrored: Tensor | None, batch: Batch) -> Tensor:
        """PatchNCE between drawn images and what they were drawn from, the mean over layers and images: with
        identity that is half of the labels' and half of the photographs' (section 3, eq. 5).

        Args:
            real: float [N or 2N, Cin, H, W], as the network is given them.
            drawn_b: float [N or 2N, 3, H, W], drawn from them, some mirrored.
            mirrored: which.
            batch: of this step.
        """
        generator, cut, projector = self.generators["ab"], self.config.cut, self.companions["projector"]
        drawn = generator.features(self.generators.input_b(drawn_b), self.layers)
        drawn = [_mirror(feature, mirrored) for feature in drawn]
        locations = draw_locations(drawn, cut.num_patches, generator=self._random("patches", batch))
        queries = projector(drawn, locations)
        with torch.no_grad():  # keys are what queries should become, not the other way round
            keys = projector(generator.features(real, self.layers), locations)
        losses = [
            patch_nce_loss(query, key, temperature=cut.temperature)
            for query, key in zip(queries, keys, strict=True)
        ]
        return torch.stack(losses).mean()

    def _random(self, purpose: str, batch: Batch) -> torch.Generator:
        seed = derived_seed(self.config.seed, purpose, batch.num_images_seen)
        return torch.Generator(batch.image_a.device).manual_seed(seed)

    @torch.no_grad()
    def _feature_channels(self) -> list[int]:
        generator = self.generators["ab"]
        side = 4 * generator.size_multiple
        blank = self.generators.input_b(torch.zeros(1, PICTURE_CHANNELS, side, side))
        return [feature.shape[1] for feature in generator.features(blank, self.layers)]


def _padded(image: Tensor, *, before: int = 0, after: int = 0) -> Tensor:
    """[N, C, H, W] -> [N, before + C + after, H, W], zero in the new channels."""
    return nn.functional.pad(image, (0, 0, 0, 0, before, after)) if before or after else image


def _mirror(image: Tensor, mirrored: Tensor | None) -> Tensor:
    """The images or feature maps [N, C, H, W] with those marked by bool [N, 1, 1, 1] mirrored."""
    return image if mirrored is None else torch.where(mirrored, image.flip(-1), image)
