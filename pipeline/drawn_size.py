"""The size at which the picture of a label is drawn, and whether the networks can."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from gan.image_size import ImageSizeError, require_size
from pipeline.config import RunConfig
from pipeline.geometry import cover_scale, scaled_size

__all__ = ["Undrawable", "drawn_size", "undrawable"]


class Undrawable(NamedTuple):
    """A label whose picture the networks cannot draw."""

    path: Path
    what: str
    """What is wrong with its size: a clause."""
    fix: str
    """What to do: a clause."""


def drawn_size(config: RunConfig, width: int, height: int) -> tuple[int, int]:
    """Width and height in px of the picture of a label of this size, as `generate.scale` has it."""
    if config.generate.scale == "native":
        return width, height
    scale = cover_scale(width, height, config.train.width, config.train.height)
    return scaled_size(width, height, scale)


def undrawable(config: RunConfig, labels: Iterable[tuple[Path, int, int]]) -> Undrawable | None:
    """The first label, by path, width and height in px, whose picture cannot be drawn; None = all can."""
    for path, *size in labels:
        width, height = drawn_size(config, *size)
        try:
            require_size((height, width), config.train.only_size)
        except ImageSizeError as error:
            return Undrawable(path, f"with generate.scale '{config.generate.scale}' {error.what}", error.fix)
    return None
