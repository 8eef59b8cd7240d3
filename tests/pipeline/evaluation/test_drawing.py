"""What is drawn follows from label, seed and variant; adherence is what a judge reads of it."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from pipeline.evaluation.adherence import adherence_of
from pipeline.evaluation.config import EvaluateConfig
from pipeline.evaluation.drawing import DRAW_BATCH, draw_images, draw_variants
from pipeline.evaluation.judge_training import train_judge
from pipeline.palette import Palette


def test_an_image_does_not_depend_on_what_is_drawn_beside_it(painter: Callable, painted: Callable) -> None:
    labels = painted(DRAW_BATCH + 3).label_maps
    together = draw_images(painter(), labels, seed=1)
    backwards = draw_images(painter(), labels[::-1].copy(), seed=1)[::-1]
    assert np.array_equal(together, backwards)
    assert together.shape == (*labels.shape, 3)


def test_seed_and_variant_change_the_noise(painter: Callable, painted: Callable) -> None:
    labels = painted(2).label_maps
    drawn = [
        draw_images(painter(), labels, seed=seed, variant=variant).tobytes()
        for seed, variant in ((0, 0), (0, 1), (1, 0), (0, 0))
    ]
    assert len(set(drawn)) == 3
    assert drawn[0] == drawn[3]


def test_variants_come_one_after_the_other_with_their_labels(painter: Callable, painted: Callable) -> None:
    labels = painted(3).label_maps
    calls = []
    found = draw_variants(painter(), labels, 2, seed=0, progress=lambda *done: calls.append(done))
    assert np.array_equal(found.images[3:], draw_images(painter(), labels, seed=0, variant=1))
    assert np.array_equal(found.label_maps, np.concatenate([labels, labels]))
    assert calls[-1] == (6, 6)


def test_backgrounds_come_from_photographs(painter: Callable, painted: Callable) -> None:
    labels = np.full_like(painted(8).label_maps, 2)
    labels[:, 0, 0] = np.arange(8) % 2
    photos = np.arange(50, 55, dtype=np.uint8)[:, None, None, None].repeat(16, 1).repeat(24, 2).repeat(3, 3)
    drawn = draw_images(painter(needs_photos=True), labels, seed=0, photos=photos)
    shown = set(drawn[:, 5, 5, 0].tolist())
    assert shown <= set(range(50, 55))


def test_each_label_is_drawn_from_its_own_render(painter: Callable, painted: Callable) -> None:
    labels, renders = painted(DRAW_BATCH + 3).label_maps, painted(DRAW_BATCH + 3).images
    translator = painter()
    translator.translate = lambda labels, noise, photos, renders: renders
    drawn = draw_variants(translator, labels, 2, seed=0, renders=renders)
    assert np.array_equal(drawn.images, np.concatenate([renders, renders]))


def test_no_labels_no_images(painter: Callable) -> None:
    assert draw_images(painter(), np.empty((0, 16, 24), np.uint8), seed=0).shape == (0, 16, 24, 3)


@pytest.mark.parametrize("paints", ["what the label says", "something else"])
def test_adherence_tells_who_keeps_to_the_label(
    painter: Callable, painted: Callable, palette: Palette, budget: EvaluateConfig, paints: str
) -> None:
    judge = train_judge(
        [painted(8)], palette.is_ignored, budget, device=torch.device("cpu"), precision="fp32"
    )
    labels, translator = painted(4, seed=5).label_maps, painter()
    keeps = adherence_of(translator, judge, labels, palette)
    assert keeps == adherence_of(translator, judge, labels, palette)
    if paints == "something else":
        draw = translator.translate
        translator.translate = lambda labels, *rest: draw((labels + 1) % 3, *rest)
        assert adherence_of(translator, judge, labels, palette).miou < 0.2
    else:
        assert keeps.miou > 0.8
