"""What the tests of the measure share: four classes in plain colours, and a translator that paints them."""

from collections.abc import Callable

import numpy as np
import pytest

from pipeline.evaluation.config import EvaluateConfig
from pipeline.evaluation.labelled_images import LabelledImages
from pipeline.palette import Palette, colorize

HEIGHT, WIDTH = 16, 24


@pytest.fixture(autouse=True)
def on_one_thread(one_thread: None) -> None:
    """All of these tests compute on one thread."""


@pytest.fixture
def palette() -> Palette:
    colors = {"grass": (40, 160, 60), "ball": (220, 60, 40), "sky": (120, 160, 240), "unknown": (0, 0, 0)}
    classes = [{"name": name, "color": color} for name, color in colors.items()]
    classes[-1]["ignore"] = True
    return Palette.model_validate({"name": "plain", "classes": classes})


@pytest.fixture
def budget() -> EvaluateConfig:
    """A judge that learns plain colours in a second."""
    return EvaluateConfig(judge_width=8, judge_images=240, judge_batch_size=2)


def blocks(num: int, seed: int, num_classes: int = 3) -> np.ndarray:
    """Label maps of 8 px blocks: uint8 [num, HEIGHT, WIDTH]."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, num_classes, (num, HEIGHT // 8, WIDTH // 8), dtype=np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


@pytest.fixture
def painted(palette: Palette) -> Callable[..., LabelledImages]:
    """Label maps and images in their colours, a little noisy."""

    def paint(num: int, seed: int = 0) -> LabelledImages:
        label_maps = blocks(num, seed)
        noise = np.random.default_rng(seed).integers(-20, 21, (*label_maps.shape, 1))
        images = np.clip(colorize(label_maps, palette) + noise, 0, 255).astype(np.uint8)
        return LabelledImages(images, label_maps)

    return paint


class Painter:
    """Draws each label in its palette's colours, lighter or darker by the noise."""

    def __init__(self, palette: Palette, *, needs_photos: bool = False):
        self.palette, self.needs_photos = palette, needs_photos

    def translate(
        self,
        label_maps: np.ndarray,
        noise_fields: np.ndarray,
        photos: np.ndarray | None = None,
        renders: np.ndarray | None = None,
    ) -> np.ndarray:
        images = colorize(label_maps, self.palette) + noise_fields[..., None].astype(int) // 8 - 16
        images = np.clip(images, 0, 255).astype(np.uint8)
        return np.where(label_maps[..., None] == 2, photos, images) if self.needs_photos else images


@pytest.fixture
def painter(palette: Palette) -> Callable[..., Painter]:
    return lambda **options: Painter(palette, **options)
