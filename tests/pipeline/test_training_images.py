"""Training images: a pure function of the seed and the images seen."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from gan.config import ClassCropsConfig
from gan.data import HostBatch
from gan.share import WHOLE, Share
from pipeline import training_images
from pipeline.config import RunConfig
from pipeline.images import encode_png, read_label
from pipeline.palette import Palette
from pipeline.training_images import TrainingImages

NUM_LABELS, NUM_PHOTOS = 5, 7
"""Of the fixtures `paths` and `pairs`."""


@pytest.fixture
def config(tmp_path: Path, tiny_config: Callable) -> RunConfig:
    return tiny_config(tmp_path)


@pytest.fixture
def images(paths: tuple, config: RunConfig) -> Callable[..., TrainingImages]:
    def make(**changes: object) -> TrainingImages:
        changed = config.model_copy(update={"train": config.train.model_copy(update=changes)})
        return TrainingImages(changed, config.read_palette(), *paths)

    return make


def equal(one: tuple, other: tuple) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_batch_is_a_function_of_seed_and_images_seen(images: Callable) -> None:
    stream = list(islice(images().batches(0), 12))
    again = images()
    # From any start, in any order, in any thread.
    assert all(equal(batch, found) for batch, found in zip(stream[5:], again.batches(10), strict=False))
    numbers = [8, 0, 22, 14, 2]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(again.batch, numbers))
    assert all(equal(stream[number // 2], batch) for number, batch in zip(numbers, found, strict=True))
    assert not equal(stream[0], images(seed=1).batch(0))


def test_a_batch_is_its_images_whatever_the_batch_size(images: Callable) -> None:
    whole = images(batch_size=12).batch(0)
    parts = [images(batch_size=3).batch(number) for number in (0, 3, 6, 9)]
    joined = HostBatch(*(np.concatenate([part[kind] for part in parts]) for kind in range(2)))
    assert equal(whole, joined)


def test_without_a_cache_it_is_the_same(images: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    cached = images().batch(4)
    monkeypatch.setattr(training_images, "CACHE_BYTES", 0)
    assert equal(images().batch(4), cached)


def test_each_photograph_is_shown_once_per_epoch(images: Callable) -> None:
    stream = images(batch_size=1)
    shown = [round(float(stream.batch(number).photo.mean()) / 30) for number in range(6 * NUM_PHOTOS)]
    epochs = [tuple(shown[start : start + NUM_PHOTOS]) for start in range(0, len(shown), NUM_PHOTOS)]
    assert all(sorted(epoch) == list(range(NUM_PHOTOS)) for epoch in epochs)
    assert len(set(epochs)) > 3


def test_each_label_is_shown_once_per_epoch(images: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    read_label = training_images.read_label
    monkeypatch.setattr(training_images, "CACHE_BYTES", 0)
    monkeypatch.setattr(
        training_images, "read_label", lambda path, *a, **k: opened.append(path) or read_label(path, *a, **k)
    )
    stream = images(batch_size=1)
    epochs = []
    for epoch in range(6):
        opened.clear()
        for number in range(epoch * NUM_LABELS, (epoch + 1) * NUM_LABELS):
            stream.batch(number)
        assert len(set(opened)) == len(opened) == NUM_LABELS
        epochs.append(tuple(opened))
    assert len(set(epochs)) > 3


def test_labels_keep_their_ids_and_crops_their_size(images: Callable) -> None:
    for batch in islice(images(load_scale=1.5).batches(0), 20):
        assert batch.label_map.shape == (2, 16, 24) and batch.photo.shape == (2, 16, 24, 3)
        assert set(np.unique(batch.label_map)) <= {0, 4, 5}


def test_an_image_is_seen_anew_in_every_epoch(paths: tuple, config: RunConfig) -> None:
    labels, photos = paths
    images = TrainingImages(config, config.read_palette(), labels[4:], photos[:1])
    views = [images.batch(number) for number in range(0, 12, 2)]
    shown = {label_map.tobytes() for batch in views for label_map in batch.label_map}
    assert len(shown) > 9


def test_a_preview_shows_as_many_as_it_is_asked_for(images: Callable) -> None:
    preview = images().preview(3)
    assert preview.label_map.shape == (3, 16, 24) and preview.photo.shape == (3, 16, 24, 3)
    many = images().preview(20)
    assert len(many.photo) == 20
    assert equal(images().preview(3), preview)


def test_training_without_images_is_refused(config: RunConfig, paths: tuple) -> None:
    with pytest.raises(ValueError, match="5 and 0 were found"):
        TrainingImages(config, config.read_palette(), paths[0], [])


def test_labels_and_photographs_come_in_orders_of_their_own(
    tmp_path: Path, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing pairs them: the n-th label does not come with the n-th photograph."""
    labels, photos = ([tmp_path / f"{kind}{i}" for i in range(9)] for kind in "ab")
    shown: dict[str, list[int]] = {"a": [], "b": []}

    def read(path: Path, *_: object, **__: object) -> np.ndarray:
        shown[path.name[0]].append(int(path.name[1:]))
        return np.zeros((20, 20, 3) if path.name[0] == "b" else (20, 20), np.uint8)

    monkeypatch.setattr(training_images, "CACHE_BYTES", 0)
    monkeypatch.setattr(training_images, "read_label", read)
    monkeypatch.setattr(training_images, "read_image", read)
    stream = TrainingImages(config, config.read_palette(), labels, photos)
    step = config.train.batch_size
    for number in range(0, 36 * step, step):
        stream.batch(number)
    assert np.mean(np.array(shown["a"]) == np.array(shown["b"])) < 0.5


@pytest.fixture
def paired(config: RunConfig, pairs: tuple) -> Callable[..., TrainingImages]:
    def make(**changes: object) -> TrainingImages:
        train = config.train.model_copy(update={"paired": True, "width": 48, "height": 48} | changes)
        return TrainingImages(config.model_copy(update={"train": train}), config.read_palette(), *pairs)

    return make


def agreement(batch: HostBatch) -> float:
    """Share of pixels whose photograph shows what their label says; at the borders of blocks a few differ."""
    return float(np.mean((batch.photo[..., 0] > 127) == (batch.label_map == 4)))


def test_a_pair_is_shown_together_and_under_one_view(paired: Callable) -> None:
    images = paired(load_scale=2.0)
    batches = [images.batch(number) for number in range(0, 40, 2)]
    assert min(agreement(batch) for batch in batches) > 0.9
    # It is the view that does it: drawn apart, they agree by chance.
    apart = [HostBatch(one.label_map, two.photo) for one, two in zip(batches, batches[1:], strict=False)]
    assert np.mean([agreement(batch) for batch in apart]) < 0.8
    # Each pair is seen anew whenever it is shown.
    assert len({label_map.tobytes() for batch in batches for label_map in batch.label_map}) == 40


def test_a_preview_shows_pairs(paired: Callable) -> None:
    assert agreement(paired().preview(NUM_LABELS)) > 0.9


def test_labels_keep_their_order_whether_paired_or_not(paired: Callable) -> None:
    one, other = paired().batch(4), paired(paired=False).batch(4)
    assert np.array_equal(one.label_map, other.label_map)
    assert not np.array_equal(one.photo, other.photo)


def test_a_share_of_the_images_is_shown_whole(images: Callable) -> None:
    whole = images(crop_probability=0.0, flip=False)
    assert equal(whole.batch(0), whole.batch(0))
    shown = {whole.batch(number).photo[0].tobytes() for number in range(0, 4 * NUM_PHOTOS)}
    assert len(shown) == NUM_PHOTOS  # each photograph has one view only
    for probability in (0.0, 0.5, 1.0):
        cropped = images(crop_probability=probability, flip=False, load_scale=3.0)
        pairs = [
            zip(whole.batch(number).label_map, cropped.batch(number).label_map, strict=True)
            for number in range(0, 200, 2)
        ]
        is_whole = [np.array_equal(*pair) for batch in pairs for pair in batch]
        assert np.mean(is_whole) == pytest.approx(1 - probability, abs=0.1)


def test_class_crops_are_a_function_of_seed_and_images_seen_too(images: Callable) -> None:
    crops = ClassCropsConfig(probability=0.5)
    assert equal(images(class_crops=crops).batch(6), images(class_crops=crops).batch(6))
    batches = [images(class_crops=crops).batch(number) for number in range(0, 20, 2)]
    plain = [images().batch(number) for number in range(0, 20, 2)]
    same = [np.array_equal(one.label_map, two.label_map) for one, two in zip(batches, plain, strict=True)]
    assert not all(same)


def detail(image: np.ndarray) -> float:
    """Mean difference between neighbours."""
    return float(np.abs(np.diff(image.astype(float), axis=1)).mean())


def test_photographs_are_magnified_as_often_and_as_much_as_labels_and_stay_sharp(
    paths: tuple, config: RunConfig, tmp_path: Path
) -> None:
    """Noise in every pixel: the more pixels of the file a pixel of the crop is the mean of, the less of it is
    left."""
    noise = np.random.default_rng(0).integers(0, 256, (160, 240, 3), dtype=np.uint8)
    photo = tmp_path / "noise.png"
    photo.write_bytes(encode_png(noise))
    details = {}
    for zoom, probability in ((1.0, 1.0), (5.0, 0.0), (5.0, 0.5), (5.0, 1.0)):
        crops = ClassCropsConfig(probability=probability, max_zoom=zoom)
        train = config.train.model_copy(update={"class_crops": crops, "load_scale": 1.0})
        stream = TrainingImages(
            config.model_copy(update={"train": train}), config.read_palette(), paths[0], [photo]
        )
        details[zoom, probability] = np.mean([detail(stream.batch(n).photo) for n in range(0, 60, 2)])
    assert details[5, 0] == pytest.approx(details[1, 1], rel=0.1)
    assert 1.3 * details[1, 1] < details[5, 0.5] < details[5, 1]
    assert details[5, 1] > 1.8 * details[1, 1]


@pytest.fixture
def rendered(config: RunConfig, pairs: tuple, nubots: Palette) -> Callable[..., TrainingImages]:
    """Five labels, a render of each that shows class 4 as red and class 0 as black, and five photographs that
    do so too, of the same stems."""
    labels, photos = pairs
    renders = [path.with_name(f"render-{path.name}") for path in labels]
    for label, render in zip(labels, renders, strict=True):
        is_red = read_label(label, nubots) == 4
        render.write_bytes(encode_png((is_red[..., None] * np.array([255, 0, 0])).astype(np.uint8)))

    def make(share: Share = WHOLE, **changes: object) -> TrainingImages:
        settings = {"conditioning": "render", "width": 48, "height": 48, "load_scale": 2.0} | changes
        changed = config.model_copy(update={"train": config.train.model_copy(update=settings)})
        return TrainingImages(changed, nubots, labels, photos, renders, share=share)

    return make


def of_render(batch: HostBatch) -> HostBatch:
    """The renders in the photographs' place."""
    return batch._replace(photo=batch.render)


@pytest.mark.parametrize("changes", [{}, {"class_crops": ClassCropsConfig(probability=1)}, {"paired": True}])
def test_a_render_is_shown_with_its_label_under_one_view(rendered: Callable, changes: dict) -> None:
    batches = [rendered(**changes).batch(number) for number in range(0, 40, 2)]
    assert min(agreement(of_render(batch)) for batch in batches) > 0.95
    apart = [HostBatch(one.label_map, two.render) for one, two in zip(batches, batches[1:], strict=False)]
    assert np.mean([agreement(batch) for batch in apart]) < 0.8
    assert (min(agreement(batch) for batch in batches) > 0.9) == ("paired" in changes)


def test_renders_change_neither_labels_nor_photographs(
    rendered: Callable, config: RunConfig, pairs: tuple, nubots: Palette
) -> None:
    train = config.train.model_copy(update={"width": 48, "height": 48, "load_scale": 2.0})
    plain = TrainingImages(config.model_copy(update={"train": train}), nubots, *pairs).batch(4)
    assert equal(plain[:2], rendered().batch(4)[:2]) and plain.render is None


def test_each_process_gets_the_renders_of_its_labels(rendered: Callable) -> None:
    parts = [rendered(Share(rank, 2)).batch(4) for rank in range(2)]
    assert np.array_equal(np.concatenate([part.render for part in parts]), rendered().batch(4).render)


def test_a_preview_shows_renders(rendered: Callable) -> None:
    assert agreement(of_render(rendered().preview(NUM_LABELS))) > 0.95
