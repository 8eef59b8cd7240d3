"""Attention masks: where the generator's picture counts, and what stands elsewhere."""

from typing import Literal

from torch import Tensor

__all__ = ["BLACK", "backdrop_of", "composite"]

BLACK = -1.0


def composite(foreground: Tensor, background: Tensor | float, attention: Tensor) -> Tensor:
    """foreground * attention + background * (1 - attention) (Mejjati et al., arXiv 1806.02311, eq. 1).

    Args:
        foreground: float [N, C, H, W] in [-1, 1].
        background: float [N, C, H, W] in [-1, 1], or one value for all of it.
        attention: float [N, 1, H, W] in [0, 1]; 1 = translate, 0 = keep the background.
    """
    return foreground * attention + background * (1 - attention)


def backdrop_of(
    background: Literal["generate", "mask_both", "photo", "keep"], *, clean_a: Tensor, image_b: Tensor | None
) -> Tensor | None:
    """What stands outside the label's mask: float [N, 3, H, W] in [-1, 1]; None = the generator draws it too.

    Args:
        background: "generate" = as drawn; "mask_both" = black; "photo" = `image_b`'s pixels; "keep" =
            `clean_a`'s pixels.
        clean_a: float [N, Ca, H, W], the conditioning image without noise.
        image_b: float [N, 3, H, W], a photograph for each; read with "photo".
    """
    if background == "mask_both":
        num, _, height, width = clean_a.shape
        return clean_a.new_full((num, 3, height, width), BLACK)
    return {"generate": None, "photo": image_b, "keep": clean_a}[background]
