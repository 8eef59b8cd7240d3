import numpy as np
import pytest
import torch

from gan.conditioning import DomainA
from gan.image_size import ImageSizeError
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


@pytest.mark.parametrize(("height", "width"), [(16, 24), (17, 23), (1, 1), (5, 90)])
@pytest.mark.parametrize("conditioning", ["rgb", "onehot"])
def test_photographs_of_any_size_are_read_in_their_size(
    labels, small_config, conditioning, height, width
) -> None:
    photos = np.random.default_rng(0).integers(0, 256, (3, height, width, 3), dtype=np.uint8)
    reads = translator(labels, small_config(conditioning=conditioning))
    label_maps = reads.read_labels(photos)
    assert (label_maps.shape, label_maps.dtype) == ((3, height, width), np.uint8)
    assert label_maps.max() < 3
    alone = [reads.read_labels(photos[n : n + 1])[0] for n in range(3)]
    assert np.array_equal(label_maps, np.stack(alone))


def test_the_nearest_color_is_the_class(labels, small_config) -> None:
    reads = translator(labels, small_config())
    colors = reads.conditioning.colors.astype(np.int64)
    images = np.random.default_rng(0).integers(0, 256, (2, 7, 9, 3), dtype=np.uint8)
    distance = ((images[..., None, :].astype(np.int64) - colors) ** 2).sum(-1)
    assert np.array_equal(reads.nearest_classes(images), distance.argmin(-1))
    assert np.array_equal(reads.nearest_classes(colors[None, None].astype(np.uint8)), [[[0, 1, 2]]])
    assert reads.nearest_classes(np.full((1, 1, 1, 3), 127, np.uint8)).shape == (1, 1, 1)


@pytest.mark.parametrize("conditioning", ["rgb", "onehot"])
def test_what_is_read_is_what_the_way_back_draws(labels, small_config, monkeypatch, conditioning) -> None:
    """A way back that draws the labels themselves is read as these labels, noise and all."""
    reads = translator(labels, small_config(conditioning=conditioning))
    label_maps, noise = arrays(1, 19, 21)
    drawn = reads.conditioning(torch.from_numpy(label_maps), torch.from_numpy(noise)).image_a
    monkeypatch.setattr(reads.generators, "draw_a", lambda image_b: reads._padded(drawn))
    assert np.array_equal(reads.read_labels(np.zeros((1, 19, 21, 3), np.uint8)), label_maps)


def test_a_method_says_whether_it_reads(labels, small_config) -> None:
    assert translator(labels, small_config()).reads_labels
    assert translator(labels, small_config(method="segback")).reads_labels
    assert not translator(labels, small_config(method="cut")).reads_labels


def test_a_full_ugatit_refuses_other_sizes_in_one_sentence(labels, small_config) -> None:
    config = small_config(
        method="ugatit", width=32, height=32, ugatit={"light": False, "global_layers": 3, "local_layers": 3}
    )
    draws = translator(labels, config)
    assert draws.generators.only_size == config.only_size == (32, 32)
    assert translator(labels, small_config()).generators.only_size is small_config().only_size is None
    assert draws.translate(*arrays(1, 32, 32)).shape == (1, 32, 32, 3)
    with pytest.raises(ImageSizeError, match="it has 24 x 16 px, but a full UGATIT draws only .* 32 x 32 px"):
        draws.translate(*arrays(1, 16, 24))
    with pytest.raises(ImageSizeError, match="24 x 16 px"):
        draws.read_labels(np.zeros((1, 16, 24, 3), np.uint8))


def pictures(num: int, height: int = 17, width: int = 23) -> np.ndarray:
    return np.random.default_rng(num).integers(0, 256, (num, height, width, 3), dtype=np.uint8)


def test_a_kept_background_is_the_renders_own_without_noise(labels, small_config) -> None:
    draws = translator(labels, small_config(conditioning="render", background="keep"))
    assert draws.needs_renders
    label_maps, noise = arrays(2, 17, 23)
    renders = pictures(2)
    drawn = draws.translate(label_maps, noise, renders=renders)
    assert np.array_equal(drawn[label_maps == 0], renders[label_maps == 0])
    assert (drawn[label_maps != 0] != renders[label_maps != 0]).mean() > 0.5


def test_renders_are_what_is_drawn_from(labels, small_config) -> None:
    draws = translator(labels, small_config(conditioning="render"))
    label_maps, noise = arrays(2, 17, 23)
    drawn = draws.translate(label_maps, noise, renders=pictures(2))
    assert not np.array_equal(draws.translate(label_maps, noise, renders=pictures(2)[::-1].copy()), drawn)
    assert not np.array_equal(draws.translate(label_maps, noise[::-1].copy(), renders=pictures(2)), drawn)
    alone = [draws.translate(None, noise[n : n + 1], renders=pictures(2)[n : n + 1])[0] for n in range(2)]
    assert np.array_equal(np.stack(alone), drawn)  # with a background that is drawn, labels say nothing


def test_who_draws_from_a_render_alone(labels, small_config) -> None:
    assert small_config(conditioning="render").draws_from_render_alone
    assert small_config(conditioning="render", method="cut").draws_from_render_alone
    assert not small_config().draws_from_render_alone
    for background in ("keep", "photo", "mask_both"):
        assert not small_config(conditioning="render", background=background).draws_from_render_alone
    masked = {"masks_features": True, "global_layers": 4, "local_layers": 3}
    assert not small_config(conditioning="render", method="ugatit", ugatit=masked).draws_from_render_alone
    assert not translator(labels, small_config(conditioning="render")).reads_labels
