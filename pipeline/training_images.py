"""Labels and photographs as training sees them: an endless stream of batches."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np

from gan.data import HostBatch
from gan.schedule import derived_seed
from gan.share import WHOLE, Share
from pipeline.class_crops import draw_class_view, draw_zoomed_view
from pipeline.config import ConfigError, RunConfig
from pipeline.geometry import CENTERED, View, cover_scale, draw_view, resize_photo, scaled_size, view
from pipeline.images import read_image, read_label
from pipeline.pairs import photos_of_labels
from pipeline.palette import Palette

__all__ = ["TrainingImages"]

CACHE_BYTES = 2 * 1024**3
NUM_BATCHES_AHEAD = 4


class TrainingImages:
    """Labels and photographs as an endless stream of batches, each a pure function of the seed and the images
    seen before it.

    Within an epoch each image is shown once, in an order of its own; labels and photographs are drawn apart.
    With `train.paired` a label comes with its own photograph, under the same view. Decoded images stay in
    memory up to CACHE_BYTES. Of each batch only this process's share is prepared.
    """

    def __init__(
        self,
        config: RunConfig,
        palette: Palette,
        labels: Sequence[Path],
        photos: Sequence[Path],
        share: Share = WHOLE,
    ):
        if not labels or not photos:
            raise ConfigError(
                f"Training needs labels and photographs; {len(labels)} and {len(photos)} were found."
            )
        self._train = config.train
        self._max_megapixels = config.sources.max_megapixels
        self._antialiased_edges = config.sources.antialiased_edges
        self._palette = palette
        self._labels = list(labels)
        self._photos = photos_of_labels(labels, photos) if config.train.paired else list(photos)
        self._photo_draws = "a" if config.train.paired else "b"  # whose order and views they follow
        self._own = share.of(config.train.batch_size)
        self._cache: dict[Path, np.ndarray] = {}
        self._cached_bytes = 0

    def batches(self, num_images_seen: int) -> Iterator[HostBatch]:
        """The batches from `num_images_seen` on, prepared a few ahead in threads."""
        step = self._train.batch_size
        with ThreadPoolExecutor(2, thread_name_prefix="training-images") as pool:
            ahead: deque = deque()
            while True:
                while len(ahead) < NUM_BATCHES_AHEAD:
                    ahead.append(pool.submit(self.batch, num_images_seen))
                    num_images_seen += step
                yield ahead.popleft().result()

    def batch(self, num_images_seen: int) -> HostBatch:
        """This process's share of the batch that follows after so many images."""
        numbers = range(num_images_seen, num_images_seen + self._train.batch_size)[self._own]
        return HostBatch(
            np.stack([self._shown("a", self._labels, self._read_label, number) for number in numbers]),
            np.stack(
                [self._shown(self._photo_draws, self._photos, self._read_photo, number) for number in numbers]
            ),
        )

    def preview(self, num: int) -> HostBatch:
        """Evenly spread labels and photographs, centered; pairs, if they are."""

        def spread(paths: list[Path], read: Callable[[Path], np.ndarray]) -> np.ndarray:
            chosen = [paths[index * len(paths) // num] for index in range(num)]
            return np.stack([self._view(read(path), CENTERED) for path in chosen])

        return HostBatch(spread(self._labels, self._read_label), spread(self._photos, self._read_photo))

    def _shown(
        self, domain: str, paths: list[Path], read: Callable[[Path], np.ndarray], number: int
    ) -> np.ndarray:
        epoch, position = divmod(number, len(paths))
        path = paths[_order(self._train.seed, domain, epoch, len(paths))[position]]
        image = read(path)
        return self._view(image, self._draw_view(domain, image, number))

    def _draw_view(self, domain: str, image: np.ndarray, number: int) -> View:
        train, crops = self._train, self._train.class_crops
        random = self._random(f"class_view_{domain}", number)
        if random.random() >= crops.probability:
            random = self._random(f"view_{domain}", number)
            return draw_view(
                random, load_scale=train.load_scale, flip=train.flip, crop_probability=train.crop_probability
            )
        if domain == "b":
            return draw_zoomed_view(random, max_zoom=crops.max_zoom, flip=train.flip)
        return draw_class_view(
            image, random, width=train.width, height=train.height, max_zoom=crops.max_zoom, flip=train.flip
        )

    def _random(self, purpose: str, number: int) -> np.random.Generator:
        return np.random.default_rng(derived_seed(self._train.seed, purpose, number))

    def _view(self, image: np.ndarray, shown: View) -> np.ndarray:
        return view(image, shown, width=self._train.width, height=self._train.height)

    def _read_label(self, path: Path) -> np.ndarray:
        return self._cached(
            path,
            lambda: read_label(
                path,
                self._palette,
                max_megapixels=self._max_megapixels,
                antialiased_edges=self._antialiased_edges,
            ),
        )

    def _read_photo(self, path: Path) -> np.ndarray:
        return self._cached(path, lambda: self._shrunk(read_image(path, max_megapixels=self._max_megapixels)))

    def _shrunk(self, photo: np.ndarray) -> np.ndarray:
        """No larger than training ever shows it."""
        height, width = photo.shape[:2]
        scale = cover_scale(width, height, self._train.width, self._train.height) * self._train.load_scale
        return resize_photo(photo, scaled_size(width, height, scale)) if scale < 1 else photo

    def _cached(self, path: Path, read: Callable[[], np.ndarray]) -> np.ndarray:
        image = self._cache.get(path)
        if image is None:
            image = read()
            if self._cached_bytes + image.nbytes <= CACHE_BYTES:
                self._cached_bytes += image.nbytes
                self._cache[path] = image
        return image


@lru_cache(maxsize=8)
def _order(seed: int, domain: str, epoch: int, num: int) -> np.ndarray:
    return np.random.default_rng(derived_seed(seed, f"order_{domain}", epoch)).permutation(num)
