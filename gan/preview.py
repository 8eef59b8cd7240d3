"""The fixed grid of pictures that shows how a run is doing."""

from collections.abc import Callable
from itertools import repeat

import numpy as np
import torch
from torch import Tensor

from gan.attention import backdrop_of
from gan.conditioning import Conditioning, draw_noise_field
from gan.data import HostBatch, from_uint8, to_uint8
from gan.training_state import TrainingState

__all__ = ["draw_preview"]

GAP_PX = 2
NOISE_SEED = 0


@torch.no_grad()
def draw_preview(state: TrainingState, images: HostBatch) -> np.ndarray:
    """One column per image; rows: label or render, image as generated, and where the method draws both ways
    that read back, photograph, drawn label or render, photograph drawn back; then, where attention masks are
    learned, those of the labels or renders and those of the photographs, white = translate. Drawn by the
    averaged weights.

    Args:
        state: the run.
        images: labels, their renders if the run has any, and photographs, as many of each.

    Returns:
        uint8 [rows * H, N * W, 3] RGB with gaps between the images.
    """
    device, conditioning, generators = state.device, state.conditioning, state.ema.network
    label_map = torch.from_numpy(images.label_map).to(device)
    noise = draw_noise_field(
        *label_map.shape,
        correlation_px=conditioning.noise.correlation_px,
        generator=torch.Generator(device).manual_seed(NOISE_SEED),
    )
    render = None if images.render is None else from_uint8(torch.from_numpy(images.render).to(device))
    image_a, clean_a, attention = conditioning(label_map, noise, render)
    image_b = from_uint8(torch.from_numpy(images.photo).to(device))
    background = state.config.drawn_background
    backdrop = backdrop_of(background, clean_a=clean_a, image_b=image_b.roll(1, dims=0))
    fake_b = _one_by_one(generators.draw_b, image_a, attention, backdrop)
    rows = [_as_picture(image_a, conditioning), to_uint8(fake_b).cpu().numpy()]
    if generators.draws_a:
        fake_a = _one_by_one(generators.draw_a, image_b)
        everywhere = torch.ones_like(attention)
        backdrop = backdrop_of(background, clean_a=fake_a, image_b=image_b)
        rows += [
            _as_picture(_one_by_one(generators.draw_a, fake_b), conditioning),
            to_uint8(image_b).cpu().numpy(),
            _as_picture(fake_a, conditioning),
            to_uint8(_one_by_one(generators.draw_b, fake_a, everywhere, backdrop)).cpu().numpy(),
        ]
    attentions = [_one_by_one(generators.learned_attention_a, image_a, attention)]
    if generators.draws_a:
        attentions.append(_one_by_one(generators.learned_attention_b, image_b))
    rows += [_as_grey(each) for each in attentions if each is not None]
    return _tile(rows)


def _one_by_one(draw: Callable[..., Tensor | None], first: Tensor, *others: Tensor | None) -> Tensor | None:
    """`draw` of each image [N, C, H, W] with its own of the others; those that are None it gets as None. None
    where it draws none."""
    parts = [repeat(None, len(first)) if other is None else other.split(1) for other in others]
    drawn = [draw(*each) for each in zip(first.split(1), *parts, strict=True)]
    return None if drawn[0] is None else torch.cat(drawn)


def _as_picture(image: Tensor, conditioning: Conditioning) -> np.ndarray:
    """[N, C, H, W] in domain A -> uint8 [N, H, W, 3]; one-hot images in the classes' colours."""
    if conditioning.kind == "onehot":
        return conditioning.colors[image.argmax(1).cpu().numpy()]
    return to_uint8(image).cpu().numpy()


def _as_grey(attention: Tensor) -> np.ndarray:
    """Masks [N, 1, H, W] in [0, 1] -> uint8 [N, H, W, 3], 255 = translate."""
    return to_uint8(attention.expand(-1, 3, -1, -1) * 2 - 1).cpu().numpy()


def _tile(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of uint8 [N, H, W, 3] -> one image, GAP_PX px of white between."""
    num, height, width, _ = rows[0].shape
    grid = np.full(
        (len(rows) * (height + GAP_PX) - GAP_PX, num * (width + GAP_PX) - GAP_PX, 3), 255, np.uint8
    )
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            top, left = y * (height + GAP_PX), x * (width + GAP_PX)
            grid[top : top + height, left : left + width] = image
    return grid
