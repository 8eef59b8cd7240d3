"""Configuration of the noise on labels."""

from typing import Literal

from pydantic import Field

from gan.config.base import StrictModel

__all__ = ["NoiseConfig"]


class NoiseConfig(StrictModel):
    """Saturation noise on the conditioning copy of a label; the label itself is never noised."""

    amount: float = Field(0.3, ge=0, le=1)
    """Half-width r of the uniform noise d ~ U[-r, r] on saturation, a share of full saturation; 0 = off."""
    achromatic: Literal["value", "keep", "hsv"] = "value"
    """What happens to grey and white, which have no hue: "value" = the noise goes to their brightness;
    "keep" = untouched; "hsv" = hue 0 as plain HSV has it, which tints white red."""
    correlation_px: float = Field(0, ge=0, le=256)
    """Size of the noise's blotches in px; 0 = every pixel on its own."""
