"""A comparison as one YAML file: what all entries share, and what each changes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, model_validator

from gan.config import StrictModel
from gan.config.paths import ConfigPath
from pipeline.config import ConfigError, RunConfig, explain, load_config, read_yaml

__all__ = ["CompareConfig", "load_comparison"]

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


class CompareConfig(StrictModel):
    """Entries are trained with the same budget, one after the other, and each is measured."""

    config: ConfigPath
    """The run that all entries start from."""
    folder: ConfigPath
    """Where each entry's run_dir, the judges and the results go."""
    minutes: float | None = Field(None, gt=0)
    """Training time of each entry on this machine's GPU, or on one core of its CPU: more threads need less,
    and a core that has other work to do needs more. The speed is measured first. What chooses the best
    snapshot on the way comes on top."""
    total_images: int | None = Field(None, ge=1)
    """Instead of minutes: images that each entry sees."""
    overrides: tuple[str, ...] = ()
    """Settings that all entries share, as on the command line: "train.width=96"."""
    entries: dict[Name, tuple[str, ...]] = Field(min_length=1)
    """Name -> settings of that entry, as on the command line."""

    @model_validator(mode="after")
    def _one_budget(self) -> "CompareConfig":
        if (self.minutes is None) == (self.total_images is None):
            raise ValueError("a comparison has one budget; set either minutes or total_images")
        return self

    def with_entries(self, names: Sequence[str]) -> "CompareConfig":
        """The same comparison of some of its entries.

        Raises:
            ConfigError: it has no entry of that name.
        """
        for name in names:
            if name not in self.entries:
                raise ConfigError(f"There is no entry '{name}'; there are {', '.join(self.entries)}.")
        return self.model_copy(update={"entries": {name: self.entries[name] for name in names}})

    def run_of(self, name: str) -> RunConfig:
        """The run of an entry, in a folder of its own; the judges are those of all entries."""
        folder = self.folder / name
        places = (f"run_dir={folder}", f"output={folder / 'output'}", f"evaluate.judges={self.folder}")
        try:
            return load_config(self.config, (*self.overrides, *self.entries[name], *places))
        except ConfigError as error:
            raise ConfigError(f"Entry '{name}': {error}") from None


def load_comparison(path: Path) -> CompareConfig:
    """Read a comparison's YAML and check it and every run of it.

    Raises:
        ConfigError: a key or value of it, or of one of its runs, is refused.
    """
    try:
        config = CompareConfig.model_validate(read_yaml(path), context={"base": path.resolve().parent})
    except ValidationError as error:
        raise ConfigError(explain(path, error)) from None
    for name in config.entries:
        config.run_of(name)
    return config
