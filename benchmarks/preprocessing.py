"""Benchmark: saturation noise and attention masks against the usual NumPy and OpenCV way, on one core.

Ours and the usual ways run alternately in one process, so that a busy machine slows both alike: read ratios.
"""

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from gan.config import NoiseConfig
from pipeline.palette import colorize, decode, load_palette
from pipeline.preprocess import (
    attention_mask,
    attention_mask_of_image,
    condition,
    noise_field,
    noise_table,
    saturation_noise,
)

__all__ = ["run"]

HEIGHT, WIDTH = 1024, 1280
NOISE = NoiseConfig(amount=0.3)
SHA256 = "5e" * 32
PALETTE = Path(__file__).parents[1] / "configs" / "palettes" / "nubots.yaml"


def run(num_rounds: int = 9) -> dict[str, Any]:
    """Measure all; the answer is fit for JSON.

    Args:
        num_rounds: how often each is run; medians count.

    Returns:
        "mpix_per_second" by name, "ratios" by name, and "max_levels_from_definition".
    """
    num_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        return _run(num_rounds)
    finally:
        cv2.setNumThreads(num_threads)


def _run(num_rounds: int) -> dict[str, Any]:
    palette = load_palette(PALETTE)
    table = noise_table(palette, NOISE)
    label_map = _pitch()
    image = colorize(label_map, palette)
    picture = cv2.GaussianBlur(image, (0, 0), 3)
    field = noise_field(SHA256, 0, 0, label_map.shape)

    def draw() -> np.ndarray:
        return noise_field(SHA256, 0, 0, label_map.shape)

    speeds = _speeds(
        {
            "stage, usual": lambda: _usual_stage(image),
            "stage, table": lambda: (
                condition(label_map, draw(), table),
                attention_mask(label_map, palette.is_background),
            ),
            "stage, any picture": lambda: (
                saturation_noise(picture, draw(), NOISE.amount),
                attention_mask_of_image(picture),
            ),
            "mask of image": lambda: attention_mask_of_image(image),
            "mask of label map": lambda: attention_mask(label_map, palette.is_background),
            "mask, numpy any": lambda: np.where(image.any(axis=2), 255, 0).astype(np.uint8),
            "noise field": draw,
            "noise field, 16 px blotches": lambda: noise_field(SHA256, 0, 0, label_map.shape, 16),
            "decode palette colours": lambda: decode(image, palette),
            "memory copy": lambda: image.copy(),
        },
        num_rounds,
    )
    speeds["mask, pixel loop"] = _pixel_loop_speed(image, num_rounds)

    direct = saturation_noise(image, field, NOISE.amount)
    difference = int(np.abs(direct.astype(int) - condition(label_map, field, table)).max())
    return {
        "size_px": [WIDTH, HEIGHT],
        "mpix_per_second": speeds,
        "ratios": {
            "stage, table / usual": speeds["stage, table"] / speeds["stage, usual"],
            "stage, any picture / usual": speeds["stage, any picture"] / speeds["stage, usual"],
            "mask of image / pixel loop": speeds["mask of image"] / speeds["mask, pixel loop"],
        },
        "max_levels_from_definition": difference,
    }


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
    mask = np.where(image.any(axis=2), 255, 0).astype(np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), mask


def _pixel_loop_speed(image: np.ndarray, num_rounds: int) -> float:
    """Whitening by getpixel and putpixel, on a strip: it takes a second per megapixel."""
    strip = image[HEIGHT // 4 - 32 : HEIGHT // 4 + 32]

    def whiten() -> Image.Image:
        picture = Image.fromarray(strip)
        for x in range(picture.width):
            for y in range(picture.height):
                if picture.getpixel((x, y)) != (0, 0, 0):
                    picture.putpixel((x, y), (255, 255, 255))
        return picture

    seconds = _seconds({"loop": whiten}, max(3, num_rounds // 3))
    return strip.shape[0] * strip.shape[1] / seconds["loop"] / 1e6


def _speeds(functions: dict[str, Callable[[], Any]], num_rounds: int) -> dict[str, float]:
    return {name: HEIGHT * WIDTH / s / 1e6 for name, s in _seconds(functions, num_rounds).items()}


def _seconds(functions: dict[str, Callable[[], Any]], num_rounds: int) -> dict[str, float]:
    """Median seconds of each function, run in turn."""
    taken: dict[str, list[float]] = {name: [] for name in functions}
    for function in functions.values():
        function()
    for _ in range(num_rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def _as_table(result: dict[str, Any]) -> str:
    lines = [f"{name:32}{speed:10.1f} MPix/s" for name, speed in result["mpix_per_second"].items()]
    lines += [f"{name:32}{ratio:10.1f} x" for name, ratio in result["ratios"].items()]
    lines.append(f"{'levels from the definition':32}{result['max_levels_from_definition']:10d} at most")
    return "\n".join(lines)


if __name__ == "__main__":
    measured = run()
    print(_as_table(measured))
    print(json.dumps(measured))
