"""Attention masks and saturation noise: what a label goes through before it conditions the generator.

The label itself is never noised; the noised picture is a copy. Noise is quantised to 256 steps q per pixel. A
step means d = amount * (2 q / 255 - 1) on saturation, so that the noised colours of a label fit in a small
table, which serves files on disk and the training device alike.
"""

from typing import Literal

import cv2
import numpy as np

from gan.config import NoiseConfig
from pipeline.noise_field import NUM_STEPS, noise_field
from pipeline.palette import Palette

__all__ = [
    "attention_mask",
    "attention_mask_of_image",
    "condition",
    "noise_field",
    "noise_table",
    "saturation_noise",
]

TILE_PX = 1 << 16
"""Pixels worked on at a time: the temporaries stay in the cache, and the allocator keeps their memory."""


def attention_mask(label_map: np.ndarray, is_background: np.ndarray) -> np.ndarray:
    """Mask whitening by class, on the clean label: background classes -> 0, all others -> 255 = translate.

    Args:
        label_map: uint8 [H, W] class ids.
        is_background: bool [K].

    Returns:
        uint8 [H, W], 0 or 255.
    """
    table = np.zeros(256, np.uint8)
    table[: len(is_background)] = np.where(is_background, 0, 255)
    return cv2.LUT(label_map, table)


def attention_mask_of_image(image: np.ndarray) -> np.ndarray:
    """The plain rule where there is no palette: uint8 [H, W, 3], any channel over 0 -> 255, black -> 0."""
    out = np.empty(image.shape[:2], np.uint8)
    for rows in _tiles(*out.shape):
        red, green, blue = cv2.split(image[rows])
        lit = cv2.bitwise_or(cv2.bitwise_or(red, green, dst=red), blue, dst=red)
        cv2.threshold(lit, 0, 255, cv2.THRESH_BINARY, dst=out[rows])
    return out


def noise_table(palette: Palette, noise: NoiseConfig) -> np.ndarray:
    """Every colour that noise can make of every class.

    HSV saturation moves by d with hue and value fixed: c' = V - (V - c) * S' / S with S' = clip(S + d, 0, 1),
    V = max(c), S = 1 - min(c) / V. Grey and white have no hue and obey `noise.achromatic`; black stays black.

    Returns:
        uint8 [K, 256, 3] RGB: entry [c, q] for class c and d = amount * (2 q / 255 - 1).

    Raises:
        ValueError: some entry is no nearer to its own class's colour than to another's, so that a label could
            not be read back from its noised copy; names class, colours and the largest amount that works.
    """
    colors = palette.colors
    table = _noised_colors(colors, noise.amount, noise.achromatic)
    fault = _first_confusion(colors, table)
    if fault is not None:
        class_id, step, other = fault
        raise ValueError(
            f"noise.amount {noise.amount:g} turns {palette.names[class_id]} {_text(colors[class_id])} into "
            f"{_text(table[class_id, step])}, which is no nearer to it than to {palette.names[other]} "
            f"{_text(colors[other])} of palette '{palette.name}'; the largest amount that keeps classes "
            f"apart is {_largest_amount(colors, noise):.3f}"
        )
    return table


def condition(label_map: np.ndarray, field: np.ndarray, table: np.ndarray) -> np.ndarray:
    """The noised segmentation image of a label: a look-up of (class, step).

    Args:
        label_map: uint8 [H, W] class ids.
        field: uint8 [H, W] from `noise_field`.
        table: uint8 [K, 256, 3] from `noise_table`.

    Returns:
        uint8 [H, W, 3] RGB.
    """
    packed = np.zeros((*table.shape[:2], 4), np.uint8)
    packed[..., :3] = table
    packed = packed.view("<u4").ravel()
    height, width = label_map.shape
    out = np.empty((height, width, 3), np.uint8)
    for rows in _tiles(height, width):
        index = cv2.merge([field[rows], label_map[rows]]).view("<u2")[..., 0]
        colors = packed.take(index).view(np.uint8).reshape(-1, width, 4)
        cv2.cvtColor(colors, cv2.COLOR_RGBA2RGB, dst=out[rows])
    return out


def saturation_noise(
    image: np.ndarray,
    field: np.ndarray,
    amount: float,
    achromatic: Literal["value", "keep", "hsv"] = "value",
) -> np.ndarray:
    """The noise of `noise_table` on any picture, without a round trip through HSV.

    Each channel is within one level of the float64 definition.

    Args:
        image: uint8 [H, W, 3] RGB.
        field: uint8 [H, W] from `noise_field`.
        amount: half-width of the noise on saturation, 0 to 1.
        achromatic: what happens to pixels without a hue.

    Returns:
        uint8 [H, W, 3] RGB.
    """
    noise_of_step = _noise_of_steps(amount).astype(np.float32)
    out = np.empty_like(image)
    for rows in _tiles(*field.shape):
        _noise_tile(image[rows], cv2.LUT(field[rows], noise_of_step), achromatic, out[rows])
    return out


def _noise_tile(image: np.ndarray, noise: np.ndarray, achromatic: str, out: np.ndarray) -> None:
    """One tile of `saturation_noise`; noise: float32 [h, w], the d of each pixel.

    Constants go in by NumPy: OpenCV takes an array of 4 x 1 for one, and a constant for an array.
    """
    channels = cv2.split(image)
    value = cv2.max(cv2.max(channels[0], channels[1]), channels[2])
    chroma = cv2.subtract(value, cv2.min(cv2.min(channels[0], channels[1]), channels[2]))

    # k = S' / S = clip(chroma + d V, 0, V) / chroma: one factor for all channels; c' = V - (V - c) k.
    wanted = cv2.add(cv2.multiply(noise, value, dtype=cv2.CV_32F), chroma, dtype=cv2.CV_32F)
    wanted = cv2.min(cv2.threshold(wanted, 0, 0, cv2.THRESH_TOZERO)[1], value.astype(np.float32))
    factor = cv2.divide(wanted, np.maximum(chroma, 1), dtype=cv2.CV_32F)
    below = [cv2.multiply(cv2.subtract(value, channel), factor, dtype=cv2.CV_8U) for channel in channels]

    # Grey and white stand at V so far, black at 0.
    grey = cv2.bitwise_and(cv2.threshold(chroma, 0, 255, cv2.THRESH_BINARY_INV)[1], value)
    if achromatic != "keep" and cv2.countNonZero(grey):
        if achromatic == "value":
            cv2.copyTo(cv2.add(value, noise * 255, dtype=cv2.CV_8U), grey, value)
        else:
            red_tint = cv2.multiply(np.maximum(noise, 0), value, dtype=cv2.CV_8U)
            for channel in below[1:]:
                cv2.copyTo(red_tint, grey, channel)
    cv2.merge([cv2.subtract(value, channel) for channel in below], dst=out)


def _tiles(height: int, width: int) -> list[slice]:
    num_rows = max(1, TILE_PX // width)
    return [slice(top, top + num_rows) for top in range(0, height, num_rows)]


def _noise_of_steps(amount: float) -> np.ndarray:
    """float64 [256]: d of each step."""
    return amount * (2 * np.arange(NUM_STEPS) / (NUM_STEPS - 1) - 1)


def _noised_colors(colors: np.ndarray, amount: float, achromatic: str) -> np.ndarray:
    """The float64 definition, rounded: uint8 [K, 3] -> uint8 [K, 256, 3]."""
    noise = _noise_of_steps(amount)[None, :, None]
    color = colors.astype(np.float64)[:, None, :]
    value = color.max(axis=2, keepdims=True)
    chroma = value - color.min(axis=2, keepdims=True)
    saturation = chroma / np.maximum(value, 1)
    has_hue = chroma > 0
    # Hue 0 is red: plain HSV takes saturation away from green and blue of a grey pixel.
    below_value = np.where(has_hue, (value - color) / np.maximum(chroma, 1), np.array([0, 1, 1])) * value
    noised = value - below_value * np.clip(saturation + noise, 0, 1)
    if achromatic == "value":
        noised = np.where(has_hue, noised, np.clip(value + 255 * noise, 0, 255))
    elif achromatic == "keep":
        noised = np.where(has_hue, noised, color)
    return np.rint(np.where(value > 0, noised, 0)).astype(np.uint8)


def _first_confusion(colors: np.ndarray, table: np.ndarray) -> tuple[int, int, int] | None:
    """(class, step, other class) of the first noised colour that is as near to another class, or None."""
    own_and_others = colors.astype(np.int64)
    for class_id, noised in enumerate(table.astype(np.int64)):
        distance = ((noised[:, None] - own_and_others) ** 2).sum(axis=2)
        own = distance[:, class_id].copy()
        distance[:, class_id] = np.iinfo(np.int64).max
        confused = np.flatnonzero(distance.min(axis=1) <= own)
        if len(confused):
            return class_id, int(confused[0]), int(distance[confused[0]].argmin())
    return None


def _largest_amount(colors: np.ndarray, noise: NoiseConfig) -> float:
    """The largest amount below the refused one, in thousandths, that confuses no classes."""
    works, fails = 0, int(np.ceil(noise.amount * 1000))
    while fails - works > 1:
        middle = (works + fails) // 2
        if _first_confusion(colors, _noised_colors(colors, middle / 1000, noise.achromatic)) is None:
            works = middle
        else:
            fails = middle
    return works / 1000


def _text(color: np.ndarray) -> str:
    return str(tuple(int(channel) for channel in color))
