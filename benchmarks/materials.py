"""Labels, photographs and settings that several benchmarks measure with; all of them made up from numbers."""

from pathlib import Path

import cv2
import numpy as np

from gan.conditioning import LabelSpec
from gan.config import NoiseConfig
from pipeline.palette import Palette, load_palette
from pipeline.preprocess import noise_table

__all__ = ["PALETTE", "made_up_label", "made_up_photo", "made_up_picture", "spec_of"]

PALETTE = Path(__file__).parents[1] / "configs" / "palettes" / "nubots.yaml"


def spec_of(noise: NoiseConfig) -> LabelSpec:
    """The classes of the robot's own palette, with a noise."""
    palette: Palette = load_palette(PALETTE)
    return LabelSpec(
        noise_table(palette, noise),
        palette.is_background,
        palette.is_ignored,
        noise,
        palette.model_dump(mode="json"),
    )


def made_up_label(number: int, size_px: int) -> np.ndarray:
    """A field with lines, a goal, a robot and a ball: uint8 [size_px, size_px] of class ids."""
    random = np.random.default_rng(number)
    label_map = np.zeros((size_px, size_px), np.uint8)
    horizon = int(random.integers(size_px // 4, size_px // 2))
    label_map[horizon:] = 4
    thin = max(size_px // 100, 1)
    x, y = (int(value) for value in random.integers(size_px // 4, size_px * 3 // 4, 2))
    cv2.line(label_map, (0, horizon + thin), (size_px - 1, max(y, horizon)), 5, thin)
    cv2.ellipse(label_map, (x, size_px * 3 // 4), (size_px // 4, size_px // 12), 0, 0, 360, 5, thin)
    cv2.rectangle(label_map, (size_px // 8, size_px // 8), (size_px // 3, horizon), 2, thin)
    cv2.rectangle(label_map, (x, y // 2), (x + size_px // 8, y), 3, -1)
    cv2.circle(label_map, (y, size_px * 3 // 4), size_px // 24, 1, -1)
    return label_map


def made_up_photo(number: int, size_px: int) -> np.ndarray:
    """Soft colours with some grain: uint8 [size_px, size_px, 3] RGB."""
    random = np.random.default_rng(number)
    coarse = random.integers(0, 240, (size_px // 8, size_px // 8, 3), dtype=np.uint8)
    soft = cv2.resize(coarse, (size_px, size_px), interpolation=cv2.INTER_CUBIC)
    return cv2.add(soft, random.integers(0, 16, soft.shape, dtype=np.uint8))


def made_up_picture(label_map: np.ndarray, palette: Palette, number: int) -> np.ndarray:
    """The label's colours, softened, under uneven light and a little grain: uint8 [H, W, 3] RGB."""
    rng = np.random.default_rng(number)
    height, width = label_map.shape
    picture = cv2.GaussianBlur(palette.colors[label_map], (0, 0), 1.2)
    light = cv2.resize(rng.integers(0, 60, (height // 4, width // 4, 3), dtype=np.uint8), (width, height))
    return cv2.add(cv2.add(picture, light), rng.integers(0, 8, picture.shape, dtype=np.uint8))
