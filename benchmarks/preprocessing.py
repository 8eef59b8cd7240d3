"""Benchmark: attention masks and saturation noise on one core, beside a pixel loop and the usual NumPy and
OpenCV stage.

The usual ways are small rewritings of what is found in the field: a loop of getpixel and putpixel, and noise
by way of HSV in 8 bits. All run in turn, CPU seconds count, and their results are held against definitions:
masks against the rule in NumPy, noise against float64.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from PIL import Image

from benchmarks.materials import PALETTE
from benchmarks.peer_host import whitened_by_pixel
from benchmarks.rows import Row
from benchmarks.timing import median_ratio, one_thread, seconds_in_turn
from gan.config import NoiseConfig
from pipeline.palette import Palette, colorize, decode, load_palette
from pipeline.preprocess import (
    attention_mask,
    attention_mask_of_image,
    condition,
    noise_field,
    noise_table,
    saturation_noise,
)

__all__ = ["rows", "run"]

HEIGHT, WIDTH = 1024, 1280
NUM_ROUNDS = 9
NUM_CALLS = 8
"""Of each way in a round, so that each finds in the cache what it can keep there."""
NOISE = NoiseConfig(amount=0.3)
SHA256 = "5e" * 32
STRIP = slice(HEIGHT // 4 - 32, HEIGHT // 4 + 32)
"""Rows that the pixel loop goes through: it takes a second per megapixel."""


def run(smoke: bool = False) -> dict[str, Any]:
    """Measure all.

    Args:
        smoke: one round only.

    Returns:
        "size_px"; "mpix_per_second" by name; "ratios" by name; "mask_pixels_wrong" and "max_levels_wrong",
        by name how far results are from their definition.
    """
    with one_thread():
        palette = load_palette(PALETTE)
        label_map = _pitch()
        image = colorize(label_map, palette)
        picture = cv2.GaussianBlur(image, (0, 0), 3)
        return {
            "size_px": [WIDTH, HEIGHT],
            **_speeds(label_map, image, picture, palette, 1 if smoke else NUM_ROUNDS),
            "mask_pixels_wrong": _mask_pixels_wrong(label_map, image, picture, palette),
            "max_levels_wrong": _max_levels_wrong(label_map, image, picture, palette),
        }


def rows(found: dict[str, Any]) -> list[Row]:
    """B1 and B2."""
    ratios, wrong = found["ratios"], sum(found["mask_pixels_wrong"].values())
    return [
        Row(
            id="B1",
            what="attention mask beside a pixel loop",
            value=ratios["mask of image / pixel loop"],
            unit="x",
            goal=2000,
        ),
        Row(
            id="B1",
            what="attention mask, share of copying memory",
            value=100 * ratios["mask of image / memory copy"],
            unit="%",
            goal=15,
        ),
        Row(
            id="B1",
            what="attention mask, wrong pixels",
            value=wrong,
            unit="px",
            goal=0,
            is_less_better=True,
        ),
        Row(
            id="B2",
            what="noise and mask of a label beside the usual stage",
            value=ratios["stage, table / usual"],
            unit="x",
            goal=4,
        ),
        Row(
            id="B2",
            what="noise and mask of any picture beside the usual stage",
            value=ratios["stage, any picture / usual"],
            unit="x",
            goal=4,
        ),
        Row(
            id="B2",
            what="noise, furthest from its float64 definition",
            value=max(found["max_levels_wrong"][name] for name in ("table", "any picture")),
            unit="levels",
            goal=1,
            is_less_better=True,
            note=f"the usual stage: {found['max_levels_wrong']['usual, without noise']} without any noise",
        ),
    ]


def _speeds(
    label_map: np.ndarray, image: np.ndarray, picture: np.ndarray, palette: Palette, num_rounds: int
) -> dict[str, Any]:
    """Megapixels per CPU second of each way, and ratios."""
    ways = _ways(label_map, image, picture, palette)
    repeated = {name: lambda way=way: _repeat(way) for name, way in ways.items()}
    loop = {"mask, pixel loop": lambda: whitened_by_pixel(Image.fromarray(image[STRIP]))}
    seconds = seconds_in_turn(repeated | loop, num_rounds, time.process_time)
    pixels = dict.fromkeys(ways, NUM_CALLS * image[..., 0].size)
    pixels["mask, pixel loop"] = image[STRIP][..., 0].size

    def ratio(ours: str, usual: str) -> float:
        return median_ratio(seconds, usual, ours) * pixels[ours] / pixels[usual]

    return {
        "mpix_per_second": {
            name: pixels[name] / statistics.median(taken) / 1e6 for name, taken in seconds.items()
        },
        "ratios": {
            "stage, table / usual": ratio("stage, table", "stage, usual"),
            "stage, any picture / usual": ratio("stage, any picture", "stage, usual"),
            "mask of image / pixel loop": ratio("mask of image", "mask, pixel loop"),
            "mask of image / memory copy": ratio("mask of image", "memory copy"),
        },
    }


def _ways(
    label_map: np.ndarray, image: np.ndarray, picture: np.ndarray, palette: Palette
) -> dict[str, Callable[[], Any]]:
    table, copy = noise_table(palette, NOISE), np.empty_like(image)

    def draw() -> np.ndarray:
        return noise_field(SHA256, 0, 0, label_map.shape)

    return {
        "stage, usual": lambda: _usual_stage(image),
        "stage, table": lambda: (
            condition(label_map, draw(), table),
            attention_mask(label_map, palette.is_background),
        ),
        "stage, any picture": lambda: (
            saturation_noise(picture, draw(), NOISE.amount),
            attention_mask_of_image(picture),
        ),
        "memory copy": lambda: np.copyto(copy, image),
        "mask of image": lambda: attention_mask_of_image(image),
        "mask of label map": lambda: attention_mask(label_map, palette.is_background),
        "mask, numpy any": lambda: _any_channel(image),
        "noise field": draw,
        "noise field, 16 px blotches": lambda: noise_field(SHA256, 0, 0, label_map.shape, 16),
        "decode palette colours": lambda: decode(image, palette),
    }


def _repeat(way: Callable[[], Any]) -> None:
    for _ in range(NUM_CALLS):
        way()


def _mask_pixels_wrong(
    label_map: np.ndarray, image: np.ndarray, picture: np.ndarray, palette: Palette
) -> dict[str, int]:
    """How many pixels of each mask are not what the rule says; dark pictures have values of 0 to 2."""
    dark = np.random.default_rng(0).integers(0, 3, image.shape, np.uint8)
    loop = np.asarray(whitened_by_pixel(Image.fromarray(image[STRIP])))[..., 0]
    by_class = np.where(palette.is_background[label_map], 0, 255)
    pairs = {
        "beside the pixel loop": (attention_mask_of_image(image)[STRIP], loop),
        "label's picture": (attention_mask_of_image(image), _any_channel(image)),
        "any picture": (attention_mask_of_image(picture), _any_channel(picture)),
        "dark picture": (attention_mask_of_image(dark), _any_channel(dark)),
        "label map": (attention_mask(label_map, palette.is_background), by_class),
    }
    return {name: int((mask != wanted).sum()) for name, (mask, wanted) in pairs.items()}


def _max_levels_wrong(
    label_map: np.ndarray, image: np.ndarray, picture: np.ndarray, palette: Palette
) -> dict[str, int]:
    """The largest difference of each way from the float64 definition, in levels of 255."""
    field = noise_field(SHA256, 0, 0, label_map.shape)
    wanted = _definition(image, field)
    usual = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2HSV), cv2.COLOR_HSV2RGB)
    pairs = {
        "table": (condition(label_map, field, noise_table(palette, NOISE)), wanted),
        "label's picture": (saturation_noise(image, field, NOISE.amount), wanted),
        "any picture": (saturation_noise(picture, field, NOISE.amount), _definition(picture, field)),
        "usual, without noise": (usual, picture),
    }
    return {name: int(np.abs(done - ought.astype(int)).max()) for name, (done, ought) in pairs.items()}


def _definition(image: np.ndarray, field: np.ndarray) -> np.ndarray:
    """What noise means, in float64 and without a thought of speed: HSV saturation moves by d with hue and
    value fixed; what has no hue moves by d in value, and black stays black. uint8 [H, W, 3], rounded once."""
    color = image.astype(np.float64)
    value, lowest = color.max(2, keepdims=True), color.min(2, keepdims=True)
    noise = NOISE.amount * (2 * field[..., None].astype(np.float64) / 255 - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        saturation = (value - lowest) / value
        of_hue = value - (value - color) * np.clip(saturation + noise, 0, 1) / saturation
    of_grey = np.broadcast_to(np.clip(value + 255 * noise, 0, 255), color.shape)
    noised = np.where(value > lowest, of_hue, of_grey)
    return np.rint(np.where(value > 0, noised, 0)).astype(np.uint8)


def _pitch() -> np.ndarray:
    """A label map of large flat areas with thin lines, as a pitch is: uint8 [HEIGHT, WIDTH]."""
    label_map = np.full((HEIGHT, WIDTH), 4, np.uint8)
    label_map[: HEIGHT // 4] = 0
    cv2.ellipse(label_map, (WIDTH // 2, HEIGHT // 2), (300, 90), 0, 0, 360, 5, 12)
    cv2.line(label_map, (0, HEIGHT // 3), (WIDTH, HEIGHT - 1), 5, 10)
    cv2.rectangle(label_map, (900, 200), (1100, 500), 3, -1)
    cv2.rectangle(label_map, (100, 180), (500, 300), 2, 14)
    cv2.circle(label_map, (640, 800), 40, 1, -1)
    return label_map


def _usual_stage(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """HSV there and back in 8 bits with clipped NumPy noise, and a mask by any channel; it tints white."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    noise = np.random.default_rng(0).uniform(-NOISE.amount * 255, NOISE.amount * 255, image.shape[:2])
    hsv[..., 1] = np.clip(hsv[..., 1] + noise, 0, 255).astype(np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), _any_channel(image)


def _any_channel(image: np.ndarray) -> np.ndarray:
    """The rule of masks: uint8 [H, W], 255 where any channel is over 0."""
    return np.where(image.any(axis=2), 255, 0).astype(np.uint8)
