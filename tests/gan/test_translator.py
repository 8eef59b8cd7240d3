import numpy as np
import pytest

from gan.conditioning import DomainA
from gan.methods.registry import build_method
from gan.snapshot import Snapshot
from gan.translator import Translator


def translator(labels, config) -> Translator:
    method = build_method(config, DomainA(3, 3, labels.noise))
    return Translator(Snapshot.of(method.generators, labels, config, 1), device="cpu", precision="fp32")


def arrays(num: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(num)
    return (
        random.integers(0, 3, (num, height, width), dtype=np.uint8),
        random.integers(0, 256, (num, height, width), dtype=np.uint8),
    )


@pytest.mark.parametrize(("height", "width"), [(16, 24), (17, 23), (1, 1), (5, 90)])
def test_any_size_goes_in_and_comes_out(labels, small_config, height, width) -> None:
    pictures = translator(labels, small_config()).translate(*arrays(2, height, width))
    assert pictures.shape == (2, height, width, 3)
    assert pictures.dtype == np.uint8


def test_the_batch_changes_nothing(labels, small_config) -> None:
    draws = translator(labels, small_config())
    label_maps, noise = arrays(4, 16, 24)
    together = draws.translate(label_maps, noise)
    alone = [draws.translate(label_maps[n : n + 1], noise[n : n + 1])[0] for n in range(4)]
    assert np.array_equal(together, np.stack(alone))


def test_noise_makes_variants(labels, small_config) -> None:
    draws = translator(labels, small_config())
    label_maps, noise = arrays(2, 16, 24)
    other = draws.translate(label_maps, noise[::-1].copy())
    assert not np.array_equal(draws.translate(label_maps, noise), other)


def test_keep_shows_the_label_outside_the_mask(labels, small_config) -> None:
    label_maps, noise = np.zeros((1, 16, 24), np.uint8), np.zeros((1, 16, 24), np.uint8)
    kept = translator(labels, small_config(background="keep")).translate(label_maps, noise)
    assert not kept.any()  # attention 0 returns the input
    drawn = translator(labels, small_config(background="generate")).translate(label_maps, noise)
    assert drawn.any()


def test_photo_shows_the_photograph_outside_the_mask(labels, small_config) -> None:
    draws = translator(labels, small_config(background="photo"))
    assert draws.needs_photos
    label_maps, noise = np.zeros((1, 16, 24), np.uint8), np.zeros((1, 16, 24), np.uint8)
    photos = np.random.default_rng(0).integers(0, 256, (1, 16, 24, 3), dtype=np.uint8)
    assert np.array_equal(draws.translate(label_maps, noise, photos), photos)
