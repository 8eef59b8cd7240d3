"""Crops around a class, so that small things are seen often enough."""

import math

import numpy as np

from pipeline.geometry import View, cover_scale, scaled_size

__all__ = ["draw_class_view", "draw_zoomed_view"]


def draw_class_view(
    label_map: np.ndarray,
    random: np.random.Generator,
    *,
    width: int,
    height: int,
    max_zoom: float,
    flip: bool,
) -> View:
    """A view that holds a pixel of a class; classes that occur in the label are drawn alike, large or small.

    Args:
        label_map: uint8 [H, W] of class ids.
        random: random source of this view.
        width: of the crop in px.
        height: of the crop in px.
        max_zoom: the zoom is drawn from 1 to this, evenly in its logarithm.
        flip: mirror half of the views.
    """
    view = draw_zoomed_view(random, max_zoom=max_zoom, flip=flip)
    classes = np.flatnonzero(np.bincount(label_map.ravel()))
    pixels = np.flatnonzero(label_map == random.choice(classes))
    row, column = divmod(int(random.choice(pixels)), label_map.shape[1])

    # Where the pixel lies in the crop is the view's own draw, as far as the image's edges allow.
    sizes = scaled_size(label_map.shape[1], label_map.shape[0], _scale(label_map, width, height) * view.zoom)
    left = _offset(column / label_map.shape[1], max(sizes[0], width), width, view.left)
    top = _offset(row / label_map.shape[0], max(sizes[1], height), height, view.top)
    return view._replace(left=left, top=top)


def draw_zoomed_view(random: np.random.Generator, *, max_zoom: float, flip: bool) -> View:
    """A crop anywhere, at a zoom as that of `draw_class_view`; for photographs, so that scales stay alike."""
    zoom, left, top, coin = random.random(4)
    return View(math.exp(zoom * math.log(max_zoom)), left, top, flip and coin < 0.5)


def _scale(label_map: np.ndarray, width: int, height: int) -> float:
    return cover_scale(label_map.shape[1], label_map.shape[0], width, height)


def _offset(position: float, size: int, crop: int, place: float) -> float:
    """Share of the room left over at which a crop begins that shows `position` at `place`; all in [0, 1]."""
    room = size - crop
    if room == 0:
        return 0.0
    return min(max((position * size - place * crop) / room, 0.0), 1.0)
