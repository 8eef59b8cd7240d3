"""Configuration of one training run."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from gan.config.base import StrictModel
from gan.config.losses import LossWeights
from gan.config.methods import AttentionganConfig, CutConfig, SegbackConfig, UagganConfig, UgatitConfig
from gan.config.networks import DiscriminatorConfig, GeneratorConfig
from gan.config.options import BackgroundConfig, ClassCropsConfig, HistogramConfig
from gan.config.paths import ConfigPath
from gan.config.presets import with_preset

__all__ = ["RESUMABLE_CHANGES", "TrainConfig"]

RESUMABLE_CHANGES = frozenset(
    {
        "device",
        "total_images",
        "report_every_images",
        "preview_every_images",
        "snapshot_every_images",
        "checkpoint_every_images",
        "num_preview",
        "from_snapshot",
    }
)
"""Fields of `TrainConfig` that may change between an interruption and its resume. Of `from_snapshot` the path
may; its content is compared by hash."""


Beta = Annotated[float, Field(ge=0, lt=1)]


class TrainConfig(StrictModel):
    """One training run. Progress is counted in images: one image = one label and one photograph shown."""

    method: Literal[
        "attention_cyclegan", "attentiongan", "cut", "cyclegan", "fastcut", "segback", "uaggan", "ugatit"
    ] = "attention_cyclegan"
    conditioning: Literal["rgb", "onehot", "render"] = "rgb"
    """What enters the generator: a label map as palette colours, a label map as one channel per class, or the
    picture that was rendered together with the label, which then gives the mask alone."""
    background: Literal["generate", "mask_both", "photo", "keep"] = "generate"
    """What stands outside the attention mask (attention_cyclegan): drawn by the generator; masked for the
    discriminator on fakes and reals; pasted from a photograph; or what stands there in the input, which is
    worth keeping of a render, but of a label is a black that lets the discriminator win at once."""
    width: int = Field(256, ge=16, le=4096)
    """Width of the training crop in px."""
    height: int = Field(256, ge=16, le=4096)
    """Height of the training crop in px."""
    load_scale: float = Field(1.12, ge=1, le=4)
    """The largest zoom: images are scaled to cover the crop times a number drawn evenly from 1 to this, and
    cropped anywhere. CycleGAN crops 256 of 286 px, 1.12."""
    crop_probability: float = Field(1, ge=0, le=1)
    """Share of images that are zoomed and cropped anywhere; of the others the middle is shown, which of an
    image of the crop's aspect ratio is all."""
    class_crops: ClassCropsConfig = ClassCropsConfig()
    histogram: HistogramConfig = HistogramConfig()
    flip: bool = True
    """Mirror half of the labels and half of the photographs, drawn apart."""
    fixed_background: BackgroundConfig = BackgroundConfig()
    from_snapshot: ConfigPath | None = None
    """A snapshot of the same method and networks to start from, for a new venue; None = from nothing."""
    paired: bool = False
    """Each label has its photograph, of the same stem: both are shown together, under the same view, and each
    is what the other should be drawn as (cyclegan and attention_cyclegan)."""
    batch_size: int = Field(1, ge=1, le=4096)
    """Images per step, of all processes that train together."""
    total_images: int = Field(200_000, ge=1)
    """Length of the run."""
    constant_fraction: float = Field(0.5, ge=0, le=1)
    """Share of the run with a constant learning rate; it then falls linearly to 0."""
    learning_rate: float = Field(2e-4, gt=0, le=1)
    betas: tuple[Beta, Beta] = (0.5, 0.999)
    """Adam's betas."""
    weight_decay: float = Field(0, ge=0, le=1)
    """Adam's L2 penalty."""
    adversarial: Literal["lsgan", "bce", "hinge"] = "lsgan"
    loss: LossWeights = LossWeights()
    generator: GeneratorConfig = GeneratorConfig()
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    attentiongan: AttentionganConfig = AttentionganConfig()
    cut: CutConfig = CutConfig()
    segback: SegbackConfig = SegbackConfig()
    ugatit: UgatitConfig = UgatitConfig()
    uaggan: UagganConfig = UagganConfig()
    r1_every_steps: int = Field(4, ge=1)
    """With loss.r1: steps between two penalties, each weighing as many times as much."""
    pool_images: int = Field(50, ge=0, le=10_000)
    """Fakes remembered for the discriminators; 0 = they see the newest only."""
    shared_forward: bool = True
    """The discriminators are shown what the generators drew in the same step; false = drawn anew after the
    generators' step, which costs their forward passes, cycle and all, once more."""
    ema_halflife_images: int = Field(2_000, ge=0)
    """Half-life of the weight average that snapshots hold; 0 = snapshots hold the raw weights."""
    ema_start_fraction: float = Field(0, ge=0, lt=1)
    """Share of the run after which averaging starts, from the weights of that moment."""
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
        """What stands outside the mask of a generated image, be it the label's mask or one that was learned
        (uaggan); other methods draw everything."""
        masked = {"attention_cyclegan": self.background, "uaggan": "keep"}
        return masked.get(self.method, "generate")

    @property
    def draws_from_render_alone(self) -> bool:
        """True where a picture follows from a render and nothing else, so that any RGB picture can be drawn
        from; otherwise its label is needed."""
        needs_mask = {
            "attention_cyclegan": self.background != "generate",
            "ugatit": self.ugatit.masks_cam_input or self.ugatit.masks_features,
        }
        return self.conditioning == "render" and not needs_mask.get(self.method, False)

    @property
    def only_size(self) -> tuple[int, int] | None:
        """Height and width in px that alone can be drawn, by networks that read the whole feature map of the
        crop (full UGATIT); None = any."""
        reads_whole_map = self.method == "ugatit" and not self.ugatit.light
        return (self.height, self.width) if reads_whole_map else None

    def essence(self) -> "TrainConfig":
        """The settings that weights depend on; those of reports, files and the device at their defaults."""
        return TrainConfig.model_validate(self.model_dump(exclude=RESUMABLE_CHANGES - {"total_images"}))

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, settings: Any) -> Any:
        if not isinstance(settings, dict):
            return settings
        return with_preset(settings.get("method", cls.model_fields["method"].default), settings)

    @model_validator(mode="after")
    def _combinations(self) -> "TrainConfig":
        _check_sizes(self)
        _check_method(self)
        _check_colors(self)
        return self


def _check_sizes(config: TrainConfig) -> None:
    multiple = 2**config.generator.num_downsamplings
    is_ugatit = config.method == "ugatit"
    discriminator = config.ugatit if is_ugatit else config.discriminator
    layers = "ugatit.global_layers" if is_ugatit else "discriminator.num_layers"
    smallest = max(4 * multiple, discriminator.smallest_side)
    for name, side in (("width", config.width), ("height", config.height)):
        if side % multiple or side < smallest:
            raise ValueError(
                f"{name} {side} does not fit the networks, which need a multiple of {multiple} and at least "
                f"{smallest}; change {name}, generator.num_downsamplings or {layers}"
            )


def _check_method(config: TrainConfig) -> None:
    if config.paired and config.class_crops.probability:
        raise ValueError(
            "paired true shows a photograph under its label's view, and class_crops.probability above 0 "
            "draws views of labels alone; set one of them to false or 0"
        )
    if config.method == "attentiongan" and config.generator.num_masks == 0:
        raise ValueError(
            "method 'attentiongan' needs a generator with masks, but generator.num_masks is 0; set it to 1 "
            "or more, or choose method 'cyclegan'"
        )
    if config.method == "segback" and config.conditioning != "onehot":
        raise ValueError(
            f"conditioning '{config.conditioning}' does not fit method 'segback', whose segmenter reads "
            "classes; set conditioning 'onehot'"
        )
    if config.method in ("cut", "fastcut"):
        config.cut.layers_of(config.generator)
    if config.method == "ugatit":
        _check_ugatit(config)


def _check_ugatit(config: TrainConfig) -> None:
    masked, is_kept = config.ugatit.masks_features, config.generator.keeps_input
    if masked and config.loss.fixed_background and config.conditioning == "render" and not is_kept:
        raise ValueError(
            "ugatit.masks_features true draws the background from nothing, but loss.fixed_background "
            f"{config.loss.fixed_background:g} wants that of the render; set one of them to false or 0, or "
            "let generator.keeps_input true keep the render's pixels"
        )
    if config.ugatit.masks_cam_input and (config.loss.cam == 0 or config.conditioning == "onehot"):
        found = "loss.cam is 0" if config.loss.cam == 0 else "conditioning 'onehot' has no such loss"
        raise ValueError(
            f"ugatit.masks_cam_input true masks what the classifiers of loss.cam see, but {found}; set "
            "masks_cam_input to false, or train the classifiers by loss.cam 1000 and another conditioning"
        )


def _check_colors(config: TrainConfig) -> None:
    """What compares colours needs an input that has them: renders, or also labels in their colours."""
    if config.histogram.probability and config.conditioning != "render":
        raise ValueError(
            f"histogram.probability {config.histogram.probability:g} matches the colours of renders and "
            f"photographs and needs conditioning 'render', not '{config.conditioning}', as a label has no "
            "histogram to match; set it to 0"
        )
    if config.conditioning != "onehot":
        return
    ties = {
        "generator.keeps_input": (config.generator.keeps_input, "set generator.keeps_input to false"),
        "loss.fixed_background": (config.loss.fixed_background > 0, "set loss.fixed_background to 0"),
        "loss.pixel": (config.loss.pixel > 0, "set loss.pixel to 0"),
        "method 'uaggan'": (config.method == "uaggan", "set conditioning 'rgb'"),
        "background 'keep'": (config.drawn_background == "keep", "use background 'generate'"),
    }
    for setting, (is_set, remedy) in ties.items():
        if is_set:
            raise ValueError(
                f"{setting} ties a picture's colours to its label's and needs conditioning 'rgb' or "
                f"'render', not 'onehot'; {remedy}"
            )
