"""Which labels and photographs judges may learn from, and which are held out. Reads no image."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from manifests.schema import SampleRecord
from pipeline.config import ConfigError, RunConfig
from pipeline.evaluation.config import EvaluateConfig
from pipeline.prepare import Photo, Prepared

__all__ = ["Pair", "Parts", "find_pairs", "part_for_training", "part_sources", "spread"]

MAX_ASPECT_ERROR = 0.01
"""Sides of a label and its photograph may be rounded; beyond this they do not show the same."""


class Pair(NamedTuple):
    """A photograph whose every pixel is labelled."""

    label: SampleRecord
    photo: Photo


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What judges learn from (train) and what they are tested on (test). No label is in both."""

    train_labels: tuple[SampleRecord, ...]
    test_labels: tuple[SampleRecord, ...]
    train_pairs: tuple[Pair, ...]
    test_pairs: tuple[Pair, ...]
    train_photos: tuple[Path, ...]
    """What the generator learned from."""
    test_photos: tuple[Path, ...]
    """What it did not see; empty where no photograph comes from a test folder."""
    has_test_labels: bool
    """False = no label comes from a test folder: the generator has seen the labels that are held out."""
    has_test_pairs: bool
    """False = the generator has seen photographs of the pairs that are held out, or there are none."""


def part_sources(prepared: Prepared, config: EvaluateConfig) -> Parts:
    """Hold out what comes from test folders; where nothing does, some by the hash of their content.

    Raises:
        ConfigError: there are too few labels to hold one out.
    """
    pairs = find_pairs(prepared) if config.real_pairs else ()
    test_labels = _held_out(prepared.records, [label.source_part for label in prepared.records], config)
    test_pairs = _held_out(pairs, [pair.label.source_part for pair in pairs], config)
    held_out = {label.source_sha256 for label in test_labels}
    held_out |= {pair.label.source_sha256 for pair in test_pairs}
    train_labels = [label for label in prepared.records if label.source_sha256 not in held_out]
    if not train_labels:
        raise ConfigError(
            f"All {len(prepared.records)} labels are held out; a judge needs some outside test folders."
        )
    learned = set(prepared.train_photos)
    limit = config.max_images
    return Parts(
        train_labels=spread(train_labels, limit),
        test_labels=spread(test_labels, limit),
        train_pairs=spread([pair for pair in pairs if pair.label.source_sha256 not in held_out], limit),
        test_pairs=spread(test_pairs, limit),
        train_photos=spread(prepared.train_photos, limit),
        test_photos=spread([photo.path for photo in prepared.photos if photo.path not in learned], limit),
        has_test_labels=any(label.source_part == "test" for label in prepared.records),
        has_test_pairs=bool(test_pairs) and all(pair.photo.path not in learned for pair in test_pairs),
    )


def part_for_training(prepared: Prepared, config: RunConfig) -> Parts:
    """What snapshots are measured by while they train: its `test_labels` are spread over the labels that
    `part_sources` gives to judges, so that those it holds out have no say in which snapshot is used.

    Where there are labelled photographs, `train_pairs` are those of `part_sources`. Where there are none, at
    most half of the labels are measured by, and `train_labels` are others, for a judge of generated images.
    Photographs are there for backgrounds alone.

    Raises:
        ConfigError: there are too few labels.
    """
    parts = part_sources(prepared, config.evaluate)
    labels, num = parts.train_labels, config.evaluate.training_labels
    if parts.train_pairs:
        measured_by, others = spread(labels, num), ()
    elif len(labels) > 1:
        measured_by = spread(labels, min(num, len(labels) // 2))
        others = spread([label for label in labels if label not in measured_by], num)
    else:
        raise ConfigError("There is one label to learn from; a judge of generated images needs another.")
    return replace(
        parts,
        train_labels=others,
        test_labels=measured_by,
        test_pairs=(),
        has_test_pairs=False,
        train_photos=spread(parts.train_photos, num) if config.train.drawn_background == "photo" else (),
        test_photos=(),
    )


def find_pairs(prepared: Prepared) -> tuple[Pair, ...]:
    """Labels and photographs of one stem, one part and one shape; ADE20K's `_seg` does not count.

    A stem that several labels or several photographs of a part have names none of them.
    """
    photos = {(photo.part, photo.path.stem): photo for photo in prepared.photos}
    keys = [_key_of_photo(label, photos) for label in prepared.records]
    uses = Counter(keys) + Counter((photo.part, photo.path.stem) for photo in prepared.photos)
    pairs = [
        Pair(label, photos[key])
        for key, label in zip(keys, prepared.records, strict=True)
        if key in photos and uses[key] == 2
    ]
    return tuple(pair for pair in pairs if _same_shape(pair))


def _key_of_photo(label: SampleRecord, photos: Mapping[tuple[str, str], Photo]) -> tuple[str, str]:
    """Part and stem of the photograph that a label would belong to."""
    key = label.source_part, Path(label.source_label).stem
    return key if key in photos else (key[0], key[1].removesuffix("_seg"))


def _same_shape(pair: Pair) -> bool:
    ratio = (pair.label.width * pair.photo.height) / (pair.label.height * pair.photo.width)
    return abs(ratio - 1) <= MAX_ASPECT_ERROR


def _held_out(items: Sequence[Any], parts: Sequence[str], config: EvaluateConfig) -> list[Any]:
    """Labels or pairs from test folders, or else a share of all, by hash."""
    from_test = [item for item, part in zip(items, parts, strict=True) if part == "test"]
    if from_test or not items:
        return from_test
    num = max(1, round(config.test_fraction * len(items)))
    chosen = set(sorted(_rank(item, config.seed) for item in items)[:num])
    return [item for item in items if _rank(item, config.seed) in chosen]


def _rank(item: SampleRecord | Pair, seed: int) -> str:
    label = item.label if isinstance(item, Pair) else item
    return hashlib.sha256(f"seg2real evaluate {seed} {label.source_sha256}".encode()).hexdigest()


def spread(items: Sequence[Any], limit: int) -> tuple[Any, ...]:
    """At most so many of the items, evenly spread, in their order."""
    if len(items) <= limit:
        return tuple(items)
    return tuple(items[index * len(items) // limit] for index in range(limit))
