"""Configuration of generators and discriminators."""

from typing import Literal

from pydantic import Field

from gan.config.base import StrictModel

__all__ = ["DiscriminatorConfig", "GeneratorConfig"]


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


class DiscriminatorConfig(StrictModel):
    """PatchGAN discriminator (pix2pix, arXiv 1611.07004, section 3.2.2)."""

    width: int = Field(64, ge=4, le=512)
    """Channels of the first convolution."""
    num_layers: int = Field(3, ge=0, le=7)
    """Strided layers: 3 = 70x70 patches; 0 = judges every pixel by 1x1 convolutions."""
    num_scales: int = Field(1, ge=1, le=3)
    """Discriminators on the image and on its halved copies."""

    @property
    def smallest_side(self) -> int:
        """Height and width in px from which the coarsest scale still has a patch to judge."""
        return 3 * 2 ** (self.num_layers + self.num_scales - 1) if self.num_layers else 2**self.num_scales
