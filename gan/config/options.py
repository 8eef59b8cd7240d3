"""Options that most methods share, each a section of its own."""

from typing import Literal

from pydantic import Field

from gan.config.base import StrictModel

__all__ = ["BackgroundConfig", "ClassCropsConfig", "HistogramConfig"]


class ClassCropsConfig(StrictModel):
    """Crops around a class, so that small balls are seen often enough; photographs are zoomed as often."""

    probability: float = Field(0, ge=0, le=1)
    """Share of labels that are shown around a pixel of a class; large and small classes alike."""
    max_zoom: float = Field(3, ge=1, le=16)
    """Such views are magnified by 1 to this."""


class HistogramConfig(StrictModel):
    """Histogram matching between the images of a training step, for renders, which look like photographs
    already. Renders that are generated from are not matched: below probability 1 the network learns from such
    ones too."""

    space: Literal["rgb", "hsv", "hsl"] = "hsv"
    """Where channels are matched."""
    probability: float = Field(0, ge=0, le=1)
    """Share of steps in which one domain takes the other's histograms."""
    ratio: float = Field(1, ge=0, le=1)
    """Share of the matched image; the rest is the image as it was."""
    to_b_probability: float = Field(1, ge=0, le=1)
    """Of those, the share in which renders take the photographs' histograms; else the other way round."""


class BackgroundConfig(StrictModel):
    """How the discriminator of photographs treats what was drawn outside the label's mask."""

    neutral_patches: bool = False
    """Patches there count for nothing, neither for the discriminator nor for the generator."""
    detach: bool = False
    """The generator learns nothing from the discriminator there."""
