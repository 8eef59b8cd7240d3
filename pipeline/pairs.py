"""Which photograph shows what a label shows: the one of its stem and shape. Decodes nothing."""

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipeline.config import ConfigError
from pipeline.images import upright_size
from pipeline.sources.layouts import by_stem

__all__ = ["photos_of_labels"]

LABEL_ENDING = "_seg"
"""What ADE20K adds to the stem of a label; its photograph goes without."""


def photos_of_labels(labels: Sequence[Path], photos: Sequence[Path]) -> list[Path]:
    """The photograph of each label, in the labels' order; photographs of no label are left out.

    Raises:
        ConfigError: a label has none, a stem stands for several files, or a pair differs in aspect.
        BadImageError: a file cannot be opened.
    """
    of_stem = by_stem(photos)
    stems = [_stem_of_pair(label, of_stem) for label in labels]
    alone = [label for label, stem in zip(labels, stems, strict=True) if stem not in of_stem]
    if alone:
        raise ConfigError(
            f"train.paired needs a photograph for every label, and {len(alone)} of {len(labels)} stems lack "
            f"one, the first being {alone[0].stem} ({alone[0]}); add the photographs, remove the labels, or "
            "set train.paired to false."
        )
    wanted = set(stems)
    of_labels = [photo.stem for photo in photos if photo.stem in wanted]
    for kind, found in (("label", stems), ("photograph", of_labels)):
        several = [stem for stem, number in Counter(found).items() if number > 1]
        if several:
            raise ConfigError(
                f"train.paired pairs by stem, and {len(several)} stems stand for more than one {kind}, the "
                f"first being {several[0]}; rename the files, or set train.paired to false."
            )
    pairs = [of_stem[stem] for stem in stems]
    _check_aspects(labels, pairs)
    return pairs


def _stem_of_pair(label: Path, of_stem: dict[str, Path]) -> str:
    return label.stem if label.stem in of_stem else label.stem.removesuffix(LABEL_ENDING)


def _check_aspects(labels: Sequence[Path], photos: Sequence[Path]) -> None:
    with ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="pairs") as pool:
        sizes = list(zip(pool.map(upright_size, labels), pool.map(upright_size, photos), strict=True))
    different = [index for index, pair in enumerate(sizes) if not _is_same_aspect(*pair)]
    if different:
        label, photo = labels[different[0]], photos[different[0]]
        (width, height), (photo_width, photo_height) = sizes[different[0]]
        raise ConfigError(
            f"train.paired shows a label and its photograph under one view, and {len(different)} of "
            f"{len(labels)} pairs differ in aspect, the first being {label} with {width} x {height} px and "
            f"{photo} with {photo_width} x {photo_height}; crop them alike, or set train.paired to false."
        )


def _is_same_aspect(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """True for (width, height) that are scaled copies of each other, but for a pixel of the smaller one."""
    small, large = sorted((one, other))
    return abs(small[0] * large[1] - small[1] * large[0]) <= max(large)
