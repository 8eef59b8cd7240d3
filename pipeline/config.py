"""The whole run as one YAML file: loaded, checked once, frozen."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator, model_validator

from gan.config import NoiseConfig, StrictModel, TrainConfig, require_effects
from gan.config.paths import ConfigPath, ConfigPaths, as_list
from pipeline.evaluation.config import EvaluateConfig
from pipeline.palette import Palette, load_palette
from pipeline.renewal_config import FlowConfig, RetrainConfig
from pipeline.scenes.config import ScenesConfig

__all__ = [
    "ConfigError",
    "GenerateConfig",
    "PublishConfig",
    "RunConfig",
    "SourcesConfig",
    "apply_override",
    "as_yaml",
    "explain",
    "fingerprint",
    "load_config",
    "read_yaml",
]

MAX_CONFIG_BYTES = 1_000_000
LandingUrl = Annotated[str, Field(pattern=r"^s3://[^/]+(/.+)?/[^/]+/?$")]
_YAML_ERRORS = (yaml.YAMLError, ValueError, RecursionError)
"""ValueError is what PyYAML says to the 31st of June."""


class ConfigError(ValueError):
    """A config that cannot be used; the message says which key, which value, and what was wanted."""


class SourcesConfig(StrictModel):
    """What the user brings: folders in any of the known layouts."""

    labels: ConfigPaths = ()
    """Folders with segmentation images; one or a list."""
    photos: ConfigPaths = ()
    """Folders with photographs; one or a list. Nothing needs to be paired."""
    landing: Annotated[tuple[LandingUrl, ...], BeforeValidator(as_list)] = ()
    """Landing folders in an object store, such as s3://bucket/soccer/incoming; one or a list. Sets that are
    whole (_READY) are copied into the run_dir and join the labels."""
    max_megapixels: float = Field(64, gt=0, le=1024)
    """Larger files are refused on their header, before they are decoded."""
    max_bad_fraction: float = Field(0.2, ge=0, le=1)
    """Above this share of unusable files the run stops with exit code 3."""
    antialiased_edges: bool = False
    """Accept labels whose class borders are blended: such pixels get the nearest palette colour."""


class GenerateConfig(StrictModel):
    """The batch stage that draws an image for every label."""

    variants: int = Field(1, ge=1, le=1000)
    """Images per label, each with its own noise."""
    scale: Literal["train", "native"] = "train"
    """"train" = labels are brought (nearest neighbour, aspect kept) to the scale that the network was trained
    at; "native" = every image has the size of its source label."""
    image_format: Literal["png", "jpg"] = "png"
    jpeg_quality: int = Field(95, ge=1, le=100)
    shard_labels: int = Field(256, ge=1, le=100_000)
    """Labels per shard, the unit of work, retry and resume."""
    batch_size: int = Field(16, ge=1, le=1024)
    """Images per network pass on a GPU; a CPU takes them one by one."""
    seed: int = Field(0, ge=0, lt=2**32)
    num_workers: int = Field(0, ge=0, le=256)
    """Threads that decode and encode; 0 = one per core."""


class PublishConfig(StrictModel):
    """How the published dataset is laid out."""

    val_fraction: float = Field(0.1, ge=0, le=1)
    test_fraction: float = Field(0.1, ge=0, le=1)
    """Labels that come from a test folder stay in the test split whatever this says."""
    description: str = ""
    """What the dataset is, for its card and croissant.json."""
    licence: str = Field("", max_length=200)
    """Of the dataset as a whole: an SPDX id such as "CC-BY-4.0", or a sentence; empty = not stated."""
    sources: str = ""
    """Where labels and photographs came from, and their licences; Markdown."""
    url: str = ""
    """Where the dataset can be found."""
    withdrawn: Literal["keep", "remove"] = "keep"
    """Images of labels that are gone from the sources: kept, or taken out of the next version."""

    @model_validator(mode="after")
    def _fractions(self) -> "PublishConfig":
        if self.val_fraction + self.test_fraction > 1:
            raise ValueError(
                f"val_fraction {self.val_fraction} + test_fraction {self.test_fraction} is over 1"
            )
        return self


class RunConfig(StrictModel):
    """One run from segmentation images to a published dataset."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    palette: ConfigPath
    """Palette YAML: class id, name, colour."""
    run_dir: ConfigPath
    """Where training and its pictures go."""
    output: ConfigPath
    """Root of the published dataset."""
    scenes: ScenesConfig | None = None
    """Segmentation images (and photo-like pictures) to draw first; they join the sources."""
    sources: SourcesConfig = SourcesConfig()
    noise: NoiseConfig = NoiseConfig()
    train: TrainConfig = TrainConfig()
    generate: GenerateConfig = GenerateConfig()
    publish: PublishConfig = PublishConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    retrain: RetrainConfig = RetrainConfig()
    flow: FlowConfig = FlowConfig()

    @field_validator("train")
    @classmethod
    def _train(cls, train: TrainConfig, info: ValidationInfo) -> TrainConfig:
        require_effects(train)
        noise = info.data.get("noise")
        if noise and noise.amount and train.generator.keeps_input:
            raise ValueError(
                "generator.keeps_input true copies pixels of the input, by whose noise (noise.amount "
                f"{noise.amount:g}) every picture could be told from a photograph; set noise.amount to 0, or "
                "generator.keeps_input to false"
            )
        return train

    @model_validator(mode="after")
    def _renders(self) -> "RunConfig":
        if (
            self.train.conditioning == "render"
            and self.scenes
            and self.scenes.num
            and not self.scenes.renders
        ):
            raise ValueError(
                "train.conditioning 'render' translates renders, but scenes draws labels without them; set "
                "scenes.renders to true"
            )
        return self

    @model_validator(mode="after")
    def _variants(self) -> "RunConfig":
        if self.generate.variants > 1 and self.noise.amount == 0 and self.train.drawn_background != "photo":
            raise ValueError(
                f"generate.variants {self.generate.variants} would draw the same image as often, because "
                "variants differ by their noise and noise.amount is 0; set it above 0, or generate.variants "
                "to 1"
            )
        return self

    @property
    def color_noise(self) -> NoiseConfig:
        """The noise on the palette's colours; none with one-hot conditioning, whose noise is on the channels,
        and none with renders, whose noise is on theirs."""
        if self.train.conditioning == "rgb":
            return self.noise
        return self.noise.model_copy(update={"amount": 0.0})

    @property
    def judges_folder(self) -> Path:
        """Where trained judges are kept."""
        return self.evaluate.judges or self.run_dir

    def read_palette(self) -> Palette:
        """The palette that `palette` names; ConfigError when it cannot be used."""
        try:
            return load_palette(self.palette)
        except ValueError as error:
            raise ConfigError(str(error)) from None


def load_config(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read a run's YAML, apply dotted overrides such as `train.batch_size=4`, and check everything.

    Raises:
        ConfigError: the file cannot be read, is no YAML mapping, or a key or value is refused.
    """
    values = read_yaml(path)
    for override in overrides:
        apply_override(values, override)
    try:
        return RunConfig.model_validate(values, context={"base": path.resolve().parent})
    except ValidationError as error:
        raise ConfigError(explain(path, error)) from None


def as_yaml(config: RunConfig) -> str:
    """The config as resolved: every setting with its value, paths absolute."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)


def fingerprint(*sections: StrictModel | dict[str, Any]) -> str:
    """sha256 over the values of config sections; equal for equal values on any machine."""
    values = [
        section if isinstance(section, dict) else section.model_dump(mode="json") for section in sections
    ]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping that a YAML file holds; ConfigError when it cannot be read or holds something else."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"Config {path} cannot be read: {getattr(error, 'strerror', None) or error}."
        ) from None
    if len(data) > MAX_CONFIG_BYTES:
        raise ConfigError(f"Config {path} is too large; a config has at most {MAX_CONFIG_BYTES} bytes.")
    try:
        values = yaml.safe_load(data.decode())
    except _YAML_ERRORS as error:
        raise ConfigError(f"Config {path} is no valid YAML: {error}.") from None
    if not isinstance(values, dict):
        raise ConfigError(f"Config {path} holds {type(values).__name__}; a mapping of settings was wanted.")
    return values


def apply_override(values: dict[str, Any], override: str) -> None:
    """Set one of a config's values by its dotted key: "train.batch_size=4", the value as YAML.

    Raises:
        ConfigError: it has another form.
    """
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"Override '{override}' is not of the form section.key=value.")
    *parents, last = key.split(".")
    section = values
    for parent in parents:
        child = section.get(parent)
        if child is None:
            child = section[parent] = {}
        if not isinstance(child, dict):
            raise ConfigError(f"Override '{override}': '{parent}' is a value, not a section.")
        section = child
    try:
        section[last] = yaml.safe_load(text)
    except _YAML_ERRORS:
        raise ConfigError(f"Override '{override}': the value is no valid YAML.") from None


def explain(path: Path, error: ValidationError) -> str:
    """What is wrong with a file's settings, a line for each key."""
    lines = []
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"]) or "config"
        if item["type"] == "extra_forbidden":
            lines.append(f"  {key}: there is no such setting.")
        elif item["type"] == "missing":
            lines.append(f"  {key}: missing, and has no default.")
        else:
            lines.append(f"  {key} = {item['input']!r}: {item['msg'].removeprefix('Value error, ')}.")
    return f"Config {path} cannot be used:\n" + "\n".join(lines)
