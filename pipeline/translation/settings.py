"""How to translate, apart from what."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from gan.config import StrictModel

__all__ = ["Direction", "TranslationError", "TranslationSettings"]

Direction = Literal["ab", "ba"]
"""ab = segmentation images to photo-like pictures; ba = photographs to segmentation images."""


class TranslationError(ValueError):
    """What was asked for cannot be translated; found before any work is done. Exit code 2."""


class TranslationSettings(StrictModel):
    """What one call of `seg2real translate` asks for."""

    direction: Direction = "ab"
    variants: int = Field(1, ge=1, le=1000)
    """Pictures per segmentation image."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Of the noise: with the same seed a segmentation image gives the same pictures."""
    image_format: Literal["png", "jpg"] = "png"
    """Of pictures; segmentation images are always PNG."""
    max_side: int | None = Field(None, ge=1)
    """Larger images are scaled down to it, px."""
    photos: Path | None = None
    """Folder of backgrounds, for a snapshot that pastes them."""
    antialiased_edges: bool = False
    """Accept blended class borders in segmentation images."""
    seconds: float | None = Field(None, gt=0)
    """Of each video, or of the camera."""
    device: str = "auto"
    precision: Literal["auto", "bf16", "fp32"] = "auto"
