"""The training stage: from checked sources to a snapshot."""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np

from gan.conditioning import LabelSpec
from gan.data import HostBatch
from gan.distributed import ALONE, Ranks
from gan.schedule import derived_seed
from gan.share import WHOLE, Share
from gan.snapshot import BaseSnapshot, Snapshot, SnapshotError
from gan.training_loop import RunOutputs, train
from manifests.durable import make_folders
from pipeline.class_crops import draw_class_view, draw_zoomed_view
from pipeline.config import ConfigError, RunConfig
from pipeline.geometry import CENTERED, View, cover_scale, draw_view, resize_photo, scaled_size, view
from pipeline.images import read_image, read_label
from pipeline.interruption import Interrupted, watch_signals
from pipeline.pairs import photos_of_labels
from pipeline.palette import Palette
from pipeline.preprocess import noise_table
from pipeline.progress import ShowProgress, show_progress
from pipeline.run_dir import RunDir, RunDirReader
from pipeline.snapshot_files import base_sha256, finished_snapshot

__all__ = ["TrainingImages", "label_spec", "require_equal_shares", "train_run"]

logger = logging.getLogger(__name__)

CACHE_BYTES = 2 * 1024**3
NUM_BATCHES_AHEAD = 4


def train_run(
    config: RunConfig,
    labels: Sequence[Path],
    photos: Sequence[Path],
    *,
    show: ShowProgress = show_progress,
    ranks: Ranks = ALONE,
) -> Path:
    """Train to the end of the run, from its newest checkpoint if any; return the last snapshot's path.

    Several processes call this together; the first one holds the run directory and writes, shows and logs.

    Args:
        config: the run.
        labels: segmentation images to train on.
        photos: photographs to train on; paired with the labels only where `train.paired` says so.
        show: how progress is shown.
        ranks: the processes that train together.

    Raises:
        Interrupted: SIGINT or SIGTERM came to any of them; a checkpoint is written.
        TrainingDiverged: a loss or weight is not finite.
        CheckpointMismatch: the run directory holds a run with other settings.
        LockHeldError: another process trains there.
        ConfigError: the noise confuses classes, labels that should have photographs have none, or a batch
            cannot be shared equally.
        CheckpointError: there are checkpoints, and none can be read.
    """
    require_equal_shares(config, ranks.num)
    palette = config.read_palette()
    spec = label_spec(palette, config)
    images = TrainingImages(config, palette, labels, photos, ranks.share)
    make_folders(config.run_dir)
    with _outputs(config, ranks, show) as outputs, watch_signals() as received:
        train(
            config.train,
            spec,
            batches=images.batches,
            preview=images.preview(config.train.num_preview),
            outputs=outputs,
            should_stop=lambda: received() is not None,
            ranks=ranks,
            base=_base(config),
        )
    # A signal during the last step or the last files counts too, though the training is complete; and until
    # all ranks are here, files may be half written.
    signal_number = ranks.highest(received() or 0)
    if signal_number:
        raise Interrupted(f"Training stopped with a checkpoint in {config.run_dir}.", signal_number)
    return finished_snapshot(config)


def require_equal_shares(config: RunConfig, num_processes: int) -> None:
    """Go on only if every process gets as many images of a batch.

    Raises:
        ConfigError: they would not.
    """
    batch_size = config.train.batch_size
    if batch_size % num_processes:
        raise ConfigError(
            f"train.batch_size {batch_size} cannot be shared by {num_processes} processes; make it a "
            f"multiple of {num_processes}."
        )


def _base(config: RunConfig) -> BaseSnapshot | None:
    path, sha256 = config.train.from_snapshot, base_sha256(config)
    if path is None:
        return None
    try:
        return BaseSnapshot(Snapshot.from_bytes(path.read_bytes()), sha256)
    except SnapshotError as error:
        raise ConfigError(f"train.from_snapshot {path}: {error}") from None


@contextmanager
def _outputs(config: RunConfig, ranks: Ranks, show: ShowProgress) -> Iterator[RunOutputs]:
    """The run directory, which the first rank alone locks and writes."""
    if not ranks.is_first:
        yield RunDirReader(config)
        return
    with show("train", "images") as progress, RunDir.open(config, progress) as run_dir:
        yield run_dir


def label_spec(palette: Palette, config: RunConfig) -> LabelSpec:
    """What a method needs to know of the labels' classes."""
    try:
        table = noise_table(palette, config.color_noise)
    except ValueError as error:
        raise ConfigError(f"{error}.") from None
    return LabelSpec(table, palette.is_background, config.noise, palette.model_dump(mode="json"))


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
