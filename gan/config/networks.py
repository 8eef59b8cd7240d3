"""Configuration of generators and discriminators."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from gan.config.base import StrictModel

__all__ = ["DiscriminatorConfig", "GeneratorConfig"]

Depth = Annotated[int, Field(ge=0, le=7)]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, int) else value


class GeneratorConfig(StrictModel):
    """ResNet generator (CycleGAN, arXiv 1703.10593, section 4)."""

    width: int = Field(64, ge=4, le=512)
    """Channels of the first convolution; the residual blocks have four times as many."""
    num_blocks: int = Field(9, ge=1, le=32)
    """Residual blocks between the encoder and the decoder."""
    num_downsamplings: int = Field(2, ge=1, le=4)
    """Stride-2 convolutions; heights and widths are padded to multiples of 2 to this power."""
    upsampling: Literal["resize", "transposed"] = "resize"
    """"resize" = bilinear x2, then 3x3 convolution (no checkerboard); "transposed" = the paper's."""
    downsampling_padding: Literal["reflect", "zeros"] = "reflect"
    """What stride-2 convolutions see beyond the image's edge: "zeros" as in CycleGAN's public code, for
    networks imported from it; in `ugatit`, whose public code reflects, always "reflect"."""
    skip_connection: bool = False
    """The last convolution sees the first one's features beside the decoder's (after U-Net, arXiv
    1505.04597): what is thin in a label, as lines far away, stays thin and in its place."""
    num_masks: int = Field(0, ge=0, le=64)
    """Attention masks of the generator's own, under which it puts its output together (AttentionGAN, arXiv
    1911.11897): k >= 2 = softmax over k masks, each with a content image; 1 = one sigmoid mask between a
    content image and the input; 0 = it draws the output at once."""
    keeps_input: bool = False
    """The last mask weighs the input itself instead of a content image, for which a run's `noise.amount` has
    to be 0; false = every shape may change."""
    squeeze_excitation: bool = False
    """scSE gates on channels and pixels in each residual block (arXiv 1803.02579)."""

    @model_validator(mode="after")
    def _masks(self) -> "GeneratorConfig":
        if self.keeps_input and self.num_masks == 0:
            raise ValueError(
                "generator.keeps_input true needs a mask that weighs the input, but generator.num_masks is "
                "0; set it to 1 or more, or keeps_input to false"
            )
        if self.num_masks == 1 and not self.keeps_input:
            raise ValueError(
                "generator.num_masks 1 is one mask between a content image and the input and needs "
                "generator.keeps_input true; set it, or num_masks to 0 or to 2 and more"
            )
        return self


class DiscriminatorConfig(StrictModel):
    """PatchGAN discriminator (pix2pix, arXiv 1611.07004, section 3.2.2)."""

    width: int = Field(64, ge=4, le=512)
    """Channels of the first convolution."""
    num_layers: Annotated[tuple[Depth, ...], BeforeValidator(_as_list)] = Field((3,), min_length=1)
    """Strided layers: 3 = 70x70 patches; 0 = judges every pixel by 1x1 convolutions. Several, such as [5, 3]
    = a global and a local discriminator side by side."""
    num_scales: int = Field(1, ge=1, le=3)
    """Discriminators on the image and on its halved copies."""
    spectral_norm: bool = False
    """Divide every weight by its largest singular value (arXiv 1802.05957)."""

    @property
    def smallest_side(self) -> int:
        """Height and width in px from which the coarsest scale still has a patch to judge."""
        deepest = max(self.num_layers)
        return 3 * 2 ** (deepest + self.num_scales - 1) if deepest else 2**self.num_scales
