"""The generation stage: a picture for every label of a shard; decoding, network and encoding overlap."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import chain, groupby
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch

import gan
from gan.image_size import ImageSizeError
from gan.snapshot import Snapshot
from gan.translator import Translator
from manifests.durable import make_folders, write_durable
from manifests.schema import SampleRecord
from pipeline.config import RunConfig
from pipeline.drawn_size import drawn_size
from pipeline.geometry import CENTERED, resize, view
from pipeline.images import (
    BadImageError,
    decode_image,
    decode_label,
    encode_jpeg,
    encode_label_png,
    encode_png,
    read_bytes,
)
from pipeline.palette import Palette
from pipeline.prepare import Prepared
from pipeline.preprocess import noise_field
from pipeline.quality import reject_reason
from pipeline.shards import Shard, SnapshotRef
from pipeline.staging import StagedShard, stage_shard

__all__ = ["Generation", "ShardFiles"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class ShardFiles(NamedTuple):
    """Where the files of a shard's samples lie, by their sha256."""

    labels: Mapping[str, Path]
    renders: Mapping[str, Path]
    """By the sha256 of the label that a render belongs to."""
    backgrounds: Mapping[str, Path]

    @classmethod
    def of(cls, shard: Shard, prepared: Prepared) -> "ShardFiles":
        """Those that a shard needs of all that was found."""
        sources = {sample.source_sha256 for sample in shard.samples}
        backgrounds = {sample.background_sha256 for sample in shard.samples}
        return cls(
            {sha256: prepared.label_paths[sha256] for sha256 in sources},
            {sha256: path for sha256, path in prepared.render_paths.items() if sha256 in sources},
            {sha256: path for sha256, path in prepared.background_paths.items() if sha256 in backgrounds},
        )


class _Drawing(NamedTuple):
    """One sample on its way through the network."""

    sample: SampleRecord
    label_map: np.ndarray
    noise: np.ndarray
    photo: np.ndarray | None
    render: np.ndarray | None


class Generation:
    """A snapshot on a device, ready to draw shards.

    Args:
        config: the run.
        snapshot: what draws.
        translator: it, where it is on the device already.
    """

    def __init__(self, config: RunConfig, snapshot: SnapshotRef, translator: Translator | None = None):
        self._config = config
        self._palette: Palette = config.read_palette()
        self._translator = translator or Translator(
            Snapshot.from_bytes(snapshot.path.read_bytes()),
            device=config.train.device,
            precision=config.train.precision,
        )
        self._num_workers = config.generate.num_workers or os.cpu_count() or 1

    def run(self, shard: Shard, files: ShardFiles, advance: Callable[[], None]) -> StagedShard:
        """Draw, write and stage a shard; the same shard gives the same bytes.

        Args:
            shard: samples without files yet.
            files: of its samples.
            advance: called after every picture.

        Returns:
            The shard as it was staged, with its finished rows.

        Raises:
            BadImageError: a label, render or photograph cannot be read any more, or is not what it was when
                it was checked; or the networks cannot draw a label's size.
            DiskFullError: the pictures do not fit.
        """
        for kind in ("images", "labels"):
            make_folders(self._config.output / kind / shard.folder)
        labels = [
            tuple(group) for _, group in groupby(shard.samples, key=lambda sample: sample.source_sha256)
        ]
        with ThreadPoolExecutor(self._num_workers, thread_name_prefix="generate") as pool:
            ahead = 2 * self._config.generate.batch_size
            labels_ahead = -(-ahead // self._config.generate.variants)
            read = partial(self._read, files)
            drawings = chain.from_iterable(_in_order(pool, read, labels, labels_ahead))
            pictures = chain.from_iterable(self._draw(files, batch) for batch in self._batches(drawings))
            finished = []
            for sample in _in_order(pool, lambda pair: self._finish(shard, *pair), pictures, ahead):
                finished.append(sample)
                advance()
        return stage_shard(self._config.output, shard.name, finished, self._palette)

    def _read(self, files: ShardFiles, samples: tuple[SampleRecord, ...]) -> list[_Drawing]:
        """One label and all of its variants."""
        path = files.labels[samples[0].source_sha256]
        data = _checked_bytes(path, samples[0].source_sha256)
        sources = self._config.sources
        label_map = self._scaled(
            decode_label(
                data,
                self._palette,
                path,
                max_megapixels=sources.max_megapixels,
                antialiased_edges=sources.antialiased_edges,
            )
        )
        render, shape = self._render(files, samples[0]), label_map.shape
        return [
            _Drawing(sample, label_map, self._noise(sample, shape), self._photo(files, sample, shape), render)
            for sample in samples
        ]

    def _render(self, files: ShardFiles, sample: SampleRecord) -> np.ndarray | None:
        """At the label's scale; it was checked to be of the label's size."""
        if sample.render_sha256 is None:
            return None
        path = files.renders[sample.source_sha256]
        data = _checked_bytes(path, sample.render_sha256)
        return self._scaled(decode_image(data, path, max_megapixels=self._config.sources.max_megapixels))

    def _scaled(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        return resize(image, drawn_size(self._config, width, height))

    def _noise(self, sample: SampleRecord, shape: tuple[int, int]) -> np.ndarray:
        return noise_field(
            sample.source_sha256, sample.seed, sample.variant, shape, self._config.noise.correlation_px
        )

    def _photo(self, files: ShardFiles, sample: SampleRecord, shape: tuple[int, int]) -> np.ndarray | None:
        if sample.background_sha256 is None:
            return None
        path = files.backgrounds[sample.background_sha256]
        data = _checked_bytes(path, sample.background_sha256)
        photo = decode_image(data, path, max_megapixels=self._config.sources.max_megapixels)
        return view(photo, CENTERED, width=shape[1], height=shape[0])

    def _batches(self, drawings: Iterable[_Drawing]) -> Iterator[list[_Drawing]]:
        """Neighbours of equal size, up to the batch size."""
        batch_size = self._config.generate.batch_size
        for _, group in groupby(drawings, key=lambda drawing: drawing.label_map.shape):
            batch: list[_Drawing] = []
            for drawing in group:
                batch.append(drawing)
                if len(batch) == batch_size:
                    yield batch
                    batch = []
            if batch:
                yield batch

    def _draw(self, files: ShardFiles, batch: list[_Drawing]) -> Iterator[tuple[_Drawing, np.ndarray]]:
        translator = self._translator
        try:
            pictures = translator.translate(
                np.stack([drawing.label_map for drawing in batch]),
                np.stack([drawing.noise for drawing in batch]),
                np.stack([drawing.photo for drawing in batch]) if translator.needs_photos else None,
                np.stack([drawing.render for drawing in batch]) if translator.needs_renders else None,
            )
        except ImageSizeError as error:
            raise BadImageError(files.labels[batch[0].sample.source_sha256], str(error)) from None
        return zip(batch, pictures, strict=True)

    def _finish(self, shard: Shard, drawing: _Drawing, picture: np.ndarray) -> SampleRecord:
        """Encode and write a picture and its label, and complete the row."""
        sample, label_map = drawing.sample, drawing.label_map
        image = self._encode(picture)
        label = encode_label_png(label_map, self._palette)
        image_name = f"images/{shard.folder}/{sample.sample_id}.{self._config.generate.image_format}"
        label_name = f"labels/{shard.folder}/{sample.sample_id}.png"
        write_durable(self._config.output / image_name, image)
        write_durable(self._config.output / label_name, label)
        counts = np.bincount(label_map.ravel(), minlength=self._palette.num_classes)
        reason = reject_reason(picture)
        return replace(
            sample,
            image_file_name=image_name,
            label_file_name=label_name,
            width=label_map.shape[1],
            height=label_map.shape[0],
            image_bytes=len(image),
            label_bytes=len(label),
            image_sha256=hashlib.sha256(image).hexdigest(),
            label_sha256=hashlib.sha256(label).hexdigest(),
            class_pixel_counts=tuple(int(count) for count in counts),
            mask_coverage=float(counts[~self._palette.is_background].sum() / label_map.size),
            accepted=reason is None,
            reject_reason=reason,
            seg2real_version=gan.__version__,
            torch_version=torch.__version__,
        )

    def _encode(self, picture: np.ndarray) -> bytes:
        if self._config.generate.image_format == "jpg":
            return encode_jpeg(picture, self._config.generate.jpeg_quality)
        return encode_png(picture)


def _checked_bytes(path: Path, sha256: str) -> bytes:
    data = read_bytes(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise BadImageError(path, "it has changed since it was checked; run the same command again")
    return data


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """`work` of every item, in threads, in the items' order; at most `ahead` are under way."""
    pending: deque = deque()
    for item in items:
        pending.append(pool.submit(work, item))
        if len(pending) > ahead:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()
