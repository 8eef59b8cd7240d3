"""Attention masks: where the generator's picture counts, and what stands elsewhere."""

from typing import Literal

from torch import Tensor

__all__ = ["BLACK", "composite", "place_background"]

BLACK = -1.0


def composite(foreground: Tensor, background: Tensor | float, attention: Tensor) -> Tensor:
    """foreground * attention + background * (1 - attention) (Mejjati et al., arXiv 1806.02311, eq. 1).

    Args:
        foreground: float [N, C, H, W] in [-1, 1].
        background: float [N, C, H, W] in [-1, 1], or one value for all of it.
        attention: float [N, 1, H, W] in [0, 1]; 1 = translate, 0 = keep the background.
    """
    return foreground * attention + background * (1 - attention)


def place_background(
    drawn_b: Tensor,
    background: Literal["generate", "mask_both", "photo", "keep"],
    *,
    attention: Tensor,
    image_a: Tensor,
    image_b: Tensor | None,
) -> Tensor:
    """What the generator drew, with the background that was chosen outside the mask: float [N, 3, H, W] in
    [-1, 1].

    Args:
        drawn_b: float [N, 3, H, W], the generator's picture.
        background: "generate" = as drawn; "mask_both" = black; "photo" = `image_b`'s pixels; "keep" =
            `image_a`'s pixels.
        attention: float [N, 1, H, W], 1 = as drawn, 0 = background.
        image_a: float [N, 3, H, W], the conditioning image; read with "keep".
        image_b: float [N, 3, H, W], a photograph; read with "photo".
    """
    if background == "generate":
        return drawn_b
    outside = {"mask_both": BLACK, "photo": image_b, "keep": image_a}[background]
    return composite(drawn_b, outside, attention)
