"""Settings that belong to one method alone."""

from typing import Any, Literal

from pydantic import Field, field_validator

from gan.config.base import StrictModel
from gan.config.networks import GeneratorConfig

__all__ = ["AttentionganConfig", "CutConfig", "SegbackConfig", "UagganConfig", "UgatitConfig"]


class AttentionganConfig(StrictModel):
    """Which AttentionGAN, and the curriculum of its first variant."""

    variant: Literal["v2", "v1"] = "v2"
    """"v2" = softmax masks (arXiv 1911.11897, scheme II); "v1" = a single mask that is kept smooth, a picture
    kept near its input, and a curriculum (scheme I). It changes the defaults of other settings too."""
    starting_fraction: float = Field(0.05, ge=0, le=1)
    """v1: share of the run with `starting_share`; the paper's 10 of 200 epochs."""
    starting_share: float = Field(0.01, ge=0, le=1)
    """v1: what cycle, identity and pixel losses are multiplied by at first; the adversarial losses and the
    variation of the masks are multiplied by 1 minus it."""
    reconstruction_share: float = Field(0.5, ge=0, le=1)
    """v1: the same for the rest of the run."""


class SegbackConfig(StrictModel):
    """The generator that is told labels, and the segmenter that reads them back."""

    generator: Literal["resnet", "spade"] = "resnet"
    """"spade" = told the label at every scale (arXiv 1903.07291); `generator.num_blocks` are then those of
    the coarsest scale, and `generator.num_downsamplings` 4 is a good depth."""
    segmenter_width: int = Field(32, ge=4, le=256)
    """Channels of its first convolution."""
    latent_channels: int = Field(4, ge=0, le=256)
    """Numbers for each class of an image, drawn from its noise, that make variants of a label differ at
    large; with `noise.amount` 0 there is one picture per label."""


class UagganConfig(StrictModel):
    """Learned attention, and when discriminators begin to see through it (arXiv 1806.02311)."""

    attention_width: int = Field(64, ge=4, le=512)
    """Channels of the attention networks' first convolution; 64 = the public ports', 32 = the paper's."""
    switch_fraction: float = Field(0.3, ge=0, le=1)
    """Share of the run after which discriminators see attended pixels only and the attention networks are
    frozen; the paper's 30 of 100 epochs."""
    threshold: float = Field(0.1, ge=0, le=1)
    """Attention from which a pixel is shown to the discriminators then."""


class UgatitConfig(StrictModel):
    """Which UGATIT, and its discriminators (Kim et al. 2020, arXiv 1907.10830); their width is
    `discriminator.width`, and the other settings of `discriminator` are not used."""

    light: bool = False
    """False = the paper's generators, which read the whole feature map: at 256 px 279 million weights each,
    and they draw images of the training crop's size only. True = they read its mean: 10.6 million weights,
    any size."""
    norm_variance: Literal["population", "sample"] = "population"
    """By which variance AdaLIN and LIN divide: "sample" = over n - 1, as in the paper's PyTorch code, for
    networks imported from it."""
    masks_cam_input: bool = False
    """The generators' auxiliary classifiers, which `loss.cam` trains, find 0 outside the label's mask, and so
    tell the domains apart by what stands under it."""
    masks_features: bool = False
    """All that comes after these classifiers finds 0 there: the background is drawn from nothing."""
    global_layers: int = Field(7, ge=3, le=9)
    """Convolutions of the discriminator with large patches; all but two have stride 2."""
    local_layers: int = Field(5, ge=3, le=9)
    """Convolutions of the discriminator with small patches."""
    discriminator_cam: bool = True
    """The discriminators' auxiliary classifiers judge images too; False = patches alone are judged."""
    discriminator_cam_attention: bool = True
    """The discriminators weigh features by what these classifiers look at."""
    spectral_norm: bool = True
    """Divide the discriminators' weights by their largest singular value (arXiv 1802.05957)."""

    @property
    def smallest_side(self) -> int:
        """Height and width in px from which both discriminators have a patch to judge."""
        return 3 * 2 ** (max(self.global_layers, self.local_layers) - 2)


class CutConfig(StrictModel):
    """The patches that `cut` and `fastcut` compare (Park et al. 2020, arXiv 2007.15651, section 3)."""

    layers: tuple[str, ...] | None = None
    """Feature maps of the generator: "image", "down<i>" = the i-th downsampling convolution, "block<i>" = the
    i-th residual block, counted from 0; or the numbers of the paper's code. None = the paper's 0, 4, 8, 12,
    16 = image, down0, down1, block0, block4, or as near to them as the generator comes."""
    num_patches: int = Field(256, ge=2, le=65_536)
    """Locations compared in each feature map; all of them where it has fewer."""
    projector_width: int = Field(256, ge=4, le=4096)
    """Channels of the two layers that features pass before they are compared."""
    temperature: float = Field(0.07, ge=0.001, le=10)
    """Of the softmax over locations; the lower, the more only the most similar ones matter."""
    identity: bool = True
    """Compare photographs with what the generator makes of them, too."""
    flip_equivariance: bool = False
    """Draw half of the labels mirrored, and compare the mirrored-back features with the label's."""

    @field_validator("layers", mode="before")
    @classmethod
    def _names(cls, layers: Any) -> Any:
        if not isinstance(layers, list | tuple):
            return layers
        return [_name_of_number(layer) if isinstance(layer, int) else layer for layer in layers]

    def layers_of(self, generator: GeneratorConfig) -> tuple[str, ...]:
        """Names of the chosen feature maps, in the order in which an image passes them.

        Raises:
            ValueError: the generator has no such layer.
        """
        num_downs, num_blocks = generator.num_downsamplings, generator.num_blocks
        there = ["image"]
        there += [f"down{index}" for index in range(num_downs)]
        there += [f"block{index}" for index in range(num_blocks)]
        nearest = (
            "image",
            "down0",
            f"down{min(1, num_downs - 1)}",
            "block0",
            f"block{min(4, num_blocks - 1)}",
        )
        chosen = set(nearest if self.layers is None else self.layers)
        missing = sorted(chosen.difference(there))
        if missing or not chosen:
            raise ValueError(
                f"cut.layers names {', '.join(missing) or 'no layer'}, but the generator has "
                f"{', '.join(there)}; change cut.layers or the generator"
            )
        return tuple(layer for layer in there if layer in chosen)


def _name_of_number(number: int) -> str:
    """The feature map that a layer number means in the paper's code: nine blocks after two downsamplings."""
    names = {0: "image", 4: "down0", 8: "down1"} | {12 + index: f"block{index}" for index in range(9)}
    if number not in names:
        raise ValueError(
            f"cut.layers has {number}; of the paper's numbers {', '.join(map(str, names))} can be used"
        )
    return names[number]
