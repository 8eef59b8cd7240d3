"""What one good source file holds."""

from dataclasses import dataclass

__all__ = ["ImageFacts"]


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What one good file holds."""

    sha256: str
    width: int
    height: int
    class_pixel_counts: tuple[int, ...] | None = None
    """Of a label, in palette order."""
