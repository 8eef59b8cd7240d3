"""Colour spaces on tensors. Shapes: N batch, H height, W width; channels are the second axis."""

import torch
from torch import Tensor

__all__ = ["hsl_to_rgb", "hsv_to_rgb", "rgb_to_hsl", "rgb_to_hsv"]

SMALLEST = 1e-8
"""What a range of channels is divided by when it is 0."""


def rgb_to_hsv(rgb: Tensor) -> Tensor:
    """float [N, 3, H, W] in [0, 1] -> hue, saturation and value [N, 3, H, W] in [0, 1]; grey has hue 0."""
    value, chroma = rgb.amax(1), rgb.amax(1) - rgb.amin(1)
    return torch.stack([_hue(rgb), chroma / value.clamp(min=SMALLEST), value], 1)


def hsv_to_rgb(hsv: Tensor) -> Tensor:
    """The inverse of `rgb_to_hsv`."""
    hue, saturation, value = hsv.unbind(1)
    return _from_hue(hue, chroma=value * saturation, highest=value)


def rgb_to_hsl(rgb: Tensor) -> Tensor:
    """float [N, 3, H, W] in [0, 1] -> hue, saturation, lightness [N, 3, H, W] in [0, 1]; grey has hue 0."""
    highest, lowest = rgb.amax(1), rgb.amin(1)
    lightness = (highest + lowest) / 2
    room = (1 - (2 * lightness - 1).abs()).clamp(min=SMALLEST)
    return torch.stack([_hue(rgb), ((highest - lowest) / room).clamp(max=1), lightness], 1)


def hsl_to_rgb(hsl: Tensor) -> Tensor:
    """The inverse of `rgb_to_hsl`."""
    hue, saturation, lightness = hsl.unbind(1)
    chroma = saturation * (1 - (2 * lightness - 1).abs())
    return _from_hue(hue, chroma=chroma, highest=lightness + chroma / 2)


def _hue(rgb: Tensor) -> Tensor:
    """[N, H, W] in [0, 1): 0 = red, 1/3 = green, 2/3 = blue."""
    red, green, blue = rgb.unbind(1)
    highest = rgb.amax(1)
    chroma = (highest - rgb.amin(1)).clamp(min=SMALLEST)
    sixth = torch.where(
        highest == red,
        (green - blue) / chroma,
        torch.where(highest == green, 2 + (blue - red) / chroma, 4 + (red - green) / chroma),
    )
    return (sixth / 6) % 1


def _from_hue(hue: Tensor, *, chroma: Tensor, highest: Tensor) -> Tensor:
    """Each channel falls from `highest` by as much of `chroma` as its colour is far from the hue."""
    offsets = torch.tensor([5.0, 3.0, 1.0], device=hue.device).view(1, 3, 1, 1)
    position = (offsets + hue.unsqueeze(1) * 6) % 6
    distance = torch.minimum(position, 4 - position).clamp(0, 1)
    return highest.unsqueeze(1) - chroma.unsqueeze(1) * distance
