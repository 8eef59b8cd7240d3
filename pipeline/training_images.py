"""Labels and photographs as training sees them: an endless stream of batches."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

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


class _Files(NamedTuple):
    """Files of one kind, and how one is read."""

    paths: Sequence[Path]
    read: Callable[[Path], np.ndarray]


class TrainingImages:
    """Labels and photographs as an endless stream of batches, each a pure function of the seed and the images
    seen before it.

    Within an epoch each image is shown once, in an order of its own; labels and photographs are drawn apart.
    A label comes with its render, where there are any, and with `train.paired` with its own photograph, all
    under the same view. Decoded images stay in memory up to CACHE_BYTES. Of each batch only this process's
    share is prepared.

    Args:
        config: the run.
        palette: of the labels.
        labels: segmentation images.
        photos: photographs.
        renders: of each label, in the labels' order; none where labels are drawn from.
        share: of each batch.
    """

    def __init__(
        self,
        config: RunConfig,
        palette: Palette,
        labels: Sequence[Path],
        photos: Sequence[Path],
        renders: Sequence[Path] = (),
        *,
        share: Share = WHOLE,
    ):
        if not labels or not photos:
            raise ConfigError(
                f"Training needs labels and photographs; {len(labels)} and {len(photos)} were found."
            )
        needs_renders = config.train.conditioning == "render"
        assert len(renders) == (len(labels) if needs_renders else 0), "each label has a render, or none has"
        self._train = config.train
        self._max_megapixels = config.sources.max_megapixels
        self._antialiased_edges = config.sources.antialiased_edges
        self._palette = palette
        of_labels = {"label_map": _Files(labels, self._read_label)}
        if renders:
            of_labels["render"] = _Files(renders, self._read_render)
        if config.train.paired:
            of_labels["photo"] = _Files(photos_of_labels(labels, photos), self._read_photo)
            self._domains = {"a": of_labels}
        else:
            self._domains = {"a": of_labels, "b": {"photo": _Files(photos, self._read_photo)}}
        self._own = share.of(config.train.batch_size)
        self._cache: dict[tuple[str, Path], np.ndarray] = {}
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
        return _stacked([self._shown(number) for number in numbers])

    def preview(self, num: int) -> HostBatch:
        """Evenly spread labels and photographs, centered; pairs, if they are."""
        return _stacked([self._centered(index, num) for index in range(num)])

    def _shown(self, number: int) -> dict[str, np.ndarray]:
        """Image `number` of each kind; the view is drawn once for a domain, for its first kind."""
        images = {}
        for domain, kinds in self._domains.items():
            num = len(next(iter(kinds.values())).paths)
            epoch, position = divmod(number, num)
            index = _order(self._train.seed, domain, epoch, num)[position]
            found = {kind: files.read(files.paths[index]) for kind, files in kinds.items()}
            shown = self._draw_view(domain, next(iter(found.values())), number)
            images |= {kind: self._view(image, shown) for kind, image in found.items()}
        return images

    def _centered(self, index: int, num: int) -> dict[str, np.ndarray]:
        """Image `index` of `num` that are evenly spread, of each kind."""
        return {
            kind: self._view(files.read(files.paths[index * len(files.paths) // num]), CENTERED)
            for kinds in self._domains.values()
            for kind, files in kinds.items()
        }

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
            "label_map",
            path,
            lambda: read_label(
                path,
                self._palette,
                max_megapixels=self._max_megapixels,
                antialiased_edges=self._antialiased_edges,
            ),
        )

    def _read_photo(self, path: Path) -> np.ndarray:
        return self._cached(
            "photo", path, lambda: self._shrunk(read_image(path, max_megapixels=self._max_megapixels))
        )

    def _read_render(self, path: Path) -> np.ndarray:
        """As large as its label, so that both are scaled and cropped to the same pixels."""
        return self._cached("render", path, lambda: read_image(path, max_megapixels=self._max_megapixels))

    def _shrunk(self, photo: np.ndarray) -> np.ndarray:
        """No larger than training ever shows it."""
        height, width = photo.shape[:2]
        scale = cover_scale(width, height, self._train.width, self._train.height) * self._largest_zoom
        return resize_photo(photo, scaled_size(width, height, scale)) if scale < 1 else photo

    @property
    def _largest_zoom(self) -> float:
        crops = self._train.class_crops
        return max(self._train.load_scale, crops.max_zoom if crops.probability else 1)

    def _cached(self, kind: str, path: Path, read: Callable[[], np.ndarray]) -> np.ndarray:
        image = self._cache.get((kind, path))
        if image is None:
            image = read()
            if self._cached_bytes + image.nbytes <= CACHE_BYTES:
                self._cached_bytes += image.nbytes
                self._cache[kind, path] = image
        return image


def _stacked(images: list[dict[str, np.ndarray]]) -> HostBatch:
    return HostBatch(**{kind: np.stack([image[kind] for image in images]) for kind in images[0]})


@lru_cache(maxsize=8)
def _order(seed: int, domain: str, epoch: int, num: int) -> np.ndarray:
    return np.random.default_rng(derived_seed(seed, f"order_{domain}", epoch)).permutation(num)
