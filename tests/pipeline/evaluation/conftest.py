"""What the tests of the measure share: four classes in plain colours, a translator that paints them, and a
run with labelled photographs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gan.conditioning import Conditioning
from gan.methods.registry import build_generators
from gan.snapshot import Snapshot
from pipeline.config import RunConfig
from pipeline.evaluation.config import EvaluateConfig
from pipeline.evaluation.labelled_images import LabelledImages
from pipeline.images import encode_label_png, encode_png
from pipeline.palette import Palette, colorize
from pipeline.shards import SnapshotRef
from pipeline.training import label_spec

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


@pytest.fixture
def make_config(tmp_path: Path, tiny_config: Callable) -> Callable[..., RunConfig]:
    """A run with seven labels and seven photographs, five of which are pairs."""

    def make(**changes: object) -> RunConfig:
        source = tmp_path / "source"
        sources = {"labels": str(source), "photos": str(source)}
        budget = {"judge_width": 4, "judge_images": 8, "judge_batch_size": 4, "num_judges": 2}
        budget |= changes.pop("evaluate", {})
        config = tiny_config(tmp_path, scenes=None, sources=sources, evaluate=budget, **changes)
        palette, random = config.read_palette(), np.random.default_rng(0)
        for folder in ("segTrain", "segTest", "realTrain", "realTest"):
            (source / folder).mkdir(parents=True, exist_ok=True)
        for part, num in (("Train", 5), ("Test", 2)):
            for number in range(num):
                label_map = random.choice(np.array([0, 1, 4], np.uint8), (2, 3)).repeat(8, 0).repeat(8, 1)
                photo = colorize(label_map, palette) // 2 + random.integers(
                    0, 99, (16, 24, 3), dtype=np.uint8
                )
                stem = f"{part}-{number}"
                (source / f"seg{part}" / f"{stem}.png").write_bytes(encode_label_png(label_map, palette))
                name = stem if number != 1 else "unpaired-" + stem
                (source / f"real{part}" / f"{name}.png").write_bytes(encode_png(photo))
        return config

    return make


@pytest.fixture
def snapshot(tmp_path: Path) -> Callable[[RunConfig], SnapshotRef]:
    """Save a snapshot that has learned nothing."""

    def save(config: RunConfig) -> SnapshotRef:
        labels = label_spec(config.read_palette(), config)
        generators = build_generators(config.train, Conditioning(labels, config.train.conditioning).domain)
        path = tmp_path / "snapshot-00000000.safetensors"
        path.write_bytes(Snapshot.of(generators, labels, config.train, 0).to_bytes())
        return SnapshotRef.of(path)

    return save
