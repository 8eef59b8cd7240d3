import numpy as np
import pytest

from pipeline.class_crops import draw_class_view, draw_zoomed_view
from pipeline.geometry import view


@pytest.fixture
def label_map() -> np.ndarray:
    """A field, a band of line, and a ball of four pixels in a corner region."""
    label_map = np.ones((60, 100), np.uint8)
    label_map[20:24] = 2
    label_map[50:52, 90:92] = 3
    return label_map


def shown(label_map: np.ndarray, seed: int, max_zoom: float = 4.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    chosen = draw_class_view(label_map, random, width=20, height=12, max_zoom=max_zoom, flip=True)
    return view(label_map, chosen, width=20, height=12)


def test_a_small_ball_is_seen_as_often_as_the_field(label_map) -> None:
    share = np.mean([(shown(label_map, seed) == 3).any() for seed in range(300)])
    assert share > 0.2  # at the smallest zooms its two pixels fall between those of the crop
    without = [
        view(
            label_map,
            draw_zoomed_view(np.random.default_rng(seed), max_zoom=4.0, flip=True),
            width=20,
            height=12,
        )
        for seed in range(300)
    ]
    assert np.mean([(crop == 3).sum() for crop in without]) < np.mean(
        [(shown(label_map, seed) == 3).sum() for seed in range(300)]
    )


def test_zooms_lie_between_one_and_the_largest() -> None:
    zooms = [
        draw_zoomed_view(np.random.default_rng(seed), max_zoom=3.0, flip=False).zoom for seed in range(200)
    ]
    assert 1 <= min(zooms) < 1.2 and 2.5 < max(zooms) <= 3
    assert sum(zoom < 3**0.5 for zoom in zooms) == pytest.approx(100, abs=25)


def test_without_zoom_the_whole_image_is_shown_where_it_fits(label_map) -> None:
    assert set(np.unique(shown(label_map, 0, max_zoom=1.0))) >= {1, 2}


def test_a_view_is_a_function_of_its_seed(label_map) -> None:
    assert np.array_equal(shown(label_map, 7), shown(label_map, 7))
    assert not np.array_equal(shown(label_map, 7), shown(label_map, 8))


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (12, 20), (61, 37)])
def test_any_label_can_be_shown(shape) -> None:
    for seed in range(10):
        assert shown(np.zeros(shape, np.uint8), seed).shape == (12, 20)
