"""What a format gets to write: samples, one after the other, and where they go."""

import errno
import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, Protocol

import numpy as np

from manifests.about import About
from manifests.decoding import decode_image
from manifests.exports.classes import ExportClasses
from manifests.exports.pictures import encode_image, palette_png
from manifests.exports.regions import Region
from manifests.paths import inside
from manifests.schema import SampleRecord
from manifests.storage.folder import FolderStore
from manifests.storage.store import Store

__all__ = ["Export", "Facts", "Format", "FormatKind", "Prepared", "Sample", "image_suffix"]

_NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP}
"""Another disk, a disk that knows no links, or a file that has too many."""


class Sample(NamedTuple):
    """One row with what its label says."""

    record: SampleRecord
    number: int
    """Its place in its split, from 0."""
    label: bytes
    """The palette PNG as it is."""
    label_map: np.ndarray
    """uint8 [H, W], class ids of the dataset."""
    index_map: np.ndarray
    """uint8 [H, W], numbers of the export's classes."""
    regions: list[Region]
    """Those that are large enough, where the format has any."""


class Prepared(NamedTuple):
    """What a format made of a sample before its turn came."""

    record: SampleRecord
    number: int
    """Its place in its split, from 0."""
    found: Any


@dataclass
class Facts:
    """What an export tells when it is done."""

    images: Counter[str] = field(default_factory=Counter)
    """Exported rows by split."""
    instances: Counter[str] = field(default_factory=Counter)
    """Regions by class."""
    small: Counter[str] = field(default_factory=Counter)
    """Regions that were too small to be instances, by class."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Rows that were left out, by reason."""
    notes: dict[str, Any] = field(default_factory=dict)
    """What else is worth knowing, such as what the format loses."""


@dataclass(frozen=True)
class Export:
    """Where an export goes and what it holds."""

    store: Store
    """Where the dataset lies."""
    folder: Path
    classes: ExportClasses
    about: About
    num_rows: dict[str, int]
    """Of each split that has any, in the order of splits."""
    shard_rows: int
    links_images: bool
    """Make hard links to the dataset's images where the disk allows it, not copies of them."""
    placed: Counter[str] = field(default_factory=Counter)
    """Files of images by how they came: "linked", "copied" or "encoded anew"."""
    _lock: Lock = field(default_factory=Lock)

    def write(self, name: str, data: bytes) -> None:
        """A file of the export. It is synced with all others before the report makes the export whole."""
        self.place(name).write_bytes(data)

    def place(self, name: str) -> Path:
        """Where a file of the export goes; its folder is made."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def labelled(self, sample: Sample) -> tuple[SampleRecord, bytes]:
        """A sample's row and its label, a palette PNG, with the classes of the export: the dataset's own
        where none were given, otherwise 0 = none, the numbers from 1, and 255 = ignored."""
        if not self.classes.are_given:
            return sample.record, sample.label
        label = palette_png(sample.index_map, self.classes.index_colors)
        counts = np.bincount(sample.index_map.ravel(), minlength=256)[: len(self.classes.label_names)]
        changes = {"label_bytes": len(label), "label_sha256": hashlib.sha256(label).hexdigest()}
        return replace(sample.record, class_pixel_counts=tuple(counts.tolist()), **changes), label

    def read_image(self, sample: Sample) -> bytes:
        """The file of a sample's image as it is, PNG or JPEG."""
        return self.store.read(sample.record.image_file_name)

    def put_image(self, sample: Sample, stem: str, suffix: str | None = None) -> None:
        """Place a sample's image as `<stem><suffix>`: the file as it is where it is of that kind, else the
        image encoded anew. None = its own kind."""
        own = image_suffix(sample.record)
        suffix = suffix or own
        path = self.place(f"{stem}{suffix}")
        if suffix != own:
            path.write_bytes(encode_image(decode_image(self.read_image(sample)), suffix))
            how = "encoded anew"
        elif isinstance(self.store, FolderStore):
            source = inside(self.store.root, sample.record.image_file_name)
            how = "linked" if self.links_images and _linked(source, path) else "copied"
            if how == "copied":
                shutil.copyfile(source, path)
        else:
            path.write_bytes(self.read_image(sample))
            how = "copied"
        with self._lock:
            self.placed[how] += 1


def image_suffix(record: SampleRecord) -> str:
    """ ".png" or ".jpg": what a row's image is."""
    return Path(record.image_file_name).suffix.lower().replace(".jpeg", ".jpg")


def _linked(source: Path, path: Path) -> bool:
    try:
        os.link(source, path)
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise
    return True


class Format(Protocol):
    """One form to export to."""

    def prepare(self, sample: Sample) -> Any:
        """What `finish` needs of a sample; called in threads, and may write the sample's own files."""

    def finish(self, prepared: Iterator[Prepared], facts: Facts) -> None:
        """Write what is left, from what was prepared, in the order of splits and rows."""


class FormatKind(NamedTuple):
    """A form to export to, and which options concern it."""

    make: Callable[[Export], Format]
    has_regions: bool = False
    """Whether it knows objects, so that a smallest area means something."""
    has_shards: bool = False
    """Whether its files hold many samples each."""
    places_images: bool = True
    """Whether it has files of images, which could be links to the dataset's."""
    why_not: Callable[[SampleRecord], str | None] = lambda record: None
    """Why a row cannot be exported, or None."""
