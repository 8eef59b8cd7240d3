"""What a format gets to write: samples, one after the other, and where they go."""

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
from PIL import Image

from manifests.decoding import decode_image
from manifests.exports.classes import ExportClasses
from manifests.exports.regions import Region, regions_of
from manifests.schema import SampleRecord

__all__ = ["Export", "Facts", "Format", "Sample", "encode_png", "palette_png"]


class Sample(NamedTuple):
    """One row with its files."""

    record: SampleRecord
    image: bytes
    """The file as it is, PNG or JPEG."""
    label: bytes
    """The palette PNG as it is."""
    label_map: np.ndarray
    """uint8 [H, W], class ids of the palette."""

    @property
    def image_suffix(self) -> str:
        return Path(self.record.image_file_name).suffix

    def pixels(self) -> np.ndarray:
        """uint8 [H, W, 3] RGB of the image."""
        return decode_image(self.image)


@dataclass
class Facts:
    """What an export tells when it is done."""

    instances: Counter[str] = field(default_factory=Counter)
    """Regions by class."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Rows that were left out, by reason."""
    notes: dict[str, Any] = field(default_factory=dict)
    """What else is worth knowing, such as what the format loses."""


@dataclass(frozen=True)
class Export:
    """Where an export goes and what it holds."""

    folder: Path
    palette: dict[str, Any]
    classes: ExportClasses
    splits: tuple[str, ...]
    num_rows: dict[str, int]
    """Of each split."""
    min_area: int
    shard_rows: int

    def write(self, name: str, data: bytes) -> None:
        """A file of the export. It is not synced: what makes an export whole is the report, which is last."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def regions(self, sample: Sample) -> list[Region]:
        index_map = self.classes.index_map(sample.label_map)
        return list(regions_of(index_map, self.classes, min_area=self.min_area))


class Format(Protocol):
    """One form to export to."""

    def prepare(self, sample: Sample) -> Any:
        """What `finish` needs of a sample; called in threads, and may write the sample's own files."""

    def finish(self, prepared: Iterator[tuple[SampleRecord, Any]], facts: Facts) -> None:
        """Write what is left, from what was prepared, in the order of splits and rows."""


Make = Callable[[Export], Format]


def encode_png(pixels: np.ndarray) -> bytes:
    """PNG of an image uint8 [H, W, 3] RGB, or of numbers uint8 or uint16 [H, W]."""
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    is_done, data = cv2.imencode(".png", pixels)
    assert is_done
    return data.tobytes()


def palette_png(indices: np.ndarray, colors: Iterable[tuple[int, int, int]]) -> bytes:
    """PNG of numbers uint8 [H, W] with a colour for each."""
    image = Image.fromarray(indices)
    image.putpalette([channel for color in colors for channel in color])
    buffer = io.BytesIO()
    image.save(buffer, "png")
    return buffer.getvalue()
