"""Configuration of networks and training. Imports no torch: checking a config takes no seconds."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = [
    "DiscriminatorConfig",
    "GeneratorConfig",
    "LossWeights",
    "NoiseConfig",
    "RESUMABLE_CHANGES",
    "StrictModel",
    "TrainConfig",
]


RESUMABLE_CHANGES = frozenset(
    {
        "device",
        "total_images",
        "report_every_images",
        "preview_every_images",
        "snapshot_every_images",
        "checkpoint_every_images",
        "num_preview",
    }
)
"""Fields of `TrainConfig` that may change between an interruption and its resume."""


class StrictModel(BaseModel):
    """A frozen config section that refuses unknown keys and documents each field below it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class NoiseConfig(StrictModel):
    """Saturation noise on the conditioning copy of a label; the label itself is never noised."""

    amount: float = Field(0.3, ge=0, le=1)
    """Half-width r of the uniform noise d ~ U[-r, r] on saturation, a share of full saturation; 0 = off."""
    achromatic: Literal["value", "keep", "hsv"] = "value"
    """What happens to grey and white, which have no hue: "value" = the noise goes to their brightness;
    "keep" = untouched; "hsv" = hue 0 as plain HSV has it, which tints white red."""
    correlation_px: float = Field(0, ge=0, le=256)
    """Size of the noise's blotches in px; 0 = every pixel on its own."""


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


Beta = Annotated[float, Field(ge=0, lt=1)]


class LossWeights(StrictModel):
    """Weights of the named loss terms."""

    adversarial: float = Field(1, ge=0)
    cycle: float = Field(10, ge=0)
    """Cycle consistency, both directions."""
    identity: float = Field(5, ge=0)
    """Identity, both directions; the paper's 0.5 * 10."""
    background: float = Field(0.5, ge=0, le=1)
    """attention_cyclegan, background "generate": weight of pixels outside the mask where a label is compared;
    1 = the mask makes no difference."""


class TrainConfig(StrictModel):
    """One training run. Progress is counted in images: one image = one label and one photograph shown."""

    method: Literal["attention_cyclegan", "cyclegan"] = "attention_cyclegan"
    conditioning: Literal["rgb", "onehot"] = "rgb"
    """How a label map enters the generator: as palette colours or as one channel per class."""
    background: Literal["generate", "mask_both", "photo", "keep"] = "generate"
    """What stands outside the attention mask (attention_cyclegan): drawn by the generator; masked for the
    discriminator on fakes and reals; pasted from a photograph; or the label's own black, which lets the
    discriminator win at once."""
    width: int = Field(256, ge=16, le=4096)
    """Width of the training crop in px."""
    height: int = Field(256, ge=16, le=4096)
    """Height of the training crop in px."""
    load_scale: float = Field(1.12, ge=1, le=4)
    """Images are resized to this multiple of the crop before cropping (286 / 256 = 1.12)."""
    flip: bool = True
    """Mirror half of the labels and half of the photographs, drawn apart."""
    batch_size: int = Field(1, ge=1, le=4096)
    total_images: int = Field(200_000, ge=1)
    """Length of the run."""
    constant_fraction: float = Field(0.5, ge=0, le=1)
    """Share of the run with a constant learning rate; it then falls linearly to 0."""
    learning_rate: float = Field(2e-4, gt=0, le=1)
    betas: tuple[Beta, Beta] = (0.5, 0.999)
    """Adam's betas."""
    adversarial: Literal["lsgan", "bce", "hinge"] = "lsgan"
    loss: LossWeights = LossWeights()
    generator: GeneratorConfig = GeneratorConfig()
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    pool_images: int = Field(50, ge=0, le=10_000)
    """Fakes remembered for the discriminators; 0 = they see the newest only."""
    ema_halflife_images: int = Field(2_000, ge=0)
    """Half-life of the weight average that snapshots hold; 0 = snapshots hold the raw weights."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """"auto" = bfloat16 autocast where the device computes in it."""
    device: str = "auto"
    """"auto" = cuda where there is one, else cpu."""
    seed: int = Field(0, ge=0, lt=2**32)
    report_every_images: int = Field(200, ge=1)
    preview_every_images: int = Field(2_000, ge=1)
    snapshot_every_images: int = Field(20_000, ge=1)
    checkpoint_every_images: int = Field(10_000, ge=1)
    num_preview: int = Field(6, ge=1, le=64)
    """Labels and photographs in the preview grid."""

    @property
    def drawn_background(self) -> Literal["generate", "mask_both", "photo", "keep"]:
        """What stands outside the mask of a generated image; methods without a mask draw everything."""
        return self.background if self.method == "attention_cyclegan" else "generate"

    def essence(self) -> "TrainConfig":
        """The settings that weights depend on; those of reports, files and the device at their defaults."""
        return TrainConfig.model_validate(self.model_dump(exclude=RESUMABLE_CHANGES - {"total_images"}))

    @model_validator(mode="after")
    def _combinations(self) -> "TrainConfig":
        multiple = 2**self.generator.num_downsamplings
        smallest = max(4 * multiple, self.discriminator.smallest_side)
        for name, side in (("width", self.width), ("height", self.height)):
            if side % multiple or side < smallest:
                raise ValueError(
                    f"{name} {side} does not fit the networks, which need a multiple of {multiple} "
                    f"and at least {smallest}; change {name}, generator.num_downsamplings or "
                    "discriminator.num_layers"
                )
        keeps = self.method == "attention_cyclegan" and self.background == "keep"
        if keeps and self.conditioning == "onehot":
            raise ValueError(
                "background 'keep' pastes the label's own pixels into the picture and needs conditioning "
                "'rgb', not 'onehot'; use background 'generate'"
            )
        return self
