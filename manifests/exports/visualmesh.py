"""VisualMesh: an image, a mask in colours and the lens for each sample."""

from collections.abc import Iterator
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from manifests.exports.pictures import encode_png
from manifests.exports.sample import Export, Facts, Prepared, Sample
from manifests.schema import SampleRecord

__all__ = ["VisualMesh", "why_no_lens"]

_SUFFIX = ".jpg"
"""Its tool that builds data sets finds no others."""
_Row = tuple[float, float, float, float]


class _Lens(BaseModel):
    """What VisualMesh needs of a camera; where `centre` and `k` are not known, it says to write zeros."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    projection: Literal["RECTILINEAR", "EQUISOLID", "EQUIDISTANT"]
    focal_length: float = Field(gt=0)
    """px."""
    centre: tuple[float, float] = (0.0, 0.0)
    """px."""
    k: tuple[float, float] = (0.0, 0.0)
    """Factors of the squared and of the fourth power of a radius in px."""
    fov: float = Field(gt=0)
    """Radians."""
    Hoc: tuple[_Row, _Row, _Row, _Row]
    dimensions: tuple[PositiveInt, PositiveInt] | None = None
    """Width and height of the picture that it is for, px."""


class VisualMesh:
    """<split>/image<number>.jpg, mask<number>.png in colours, lens<number>.yaml: the camera as the row has
    it, brought to the image's size; samples.csv says which row has which number.

    Images that are PNG are encoded anew. Rows without a camera that VisualMesh can use are left out, and
    counted (`why_no_lens`).
    """

    def __init__(self, export: Export):
        self._export = export
        self._colors = export.classes.id_colors

    def prepare(self, sample: Sample) -> bool:
        """Whether the camera said for which size of image it is."""
        lens = _Lens.model_validate_json(sample.record.camera)
        place = f"{sample.record.split}/{{}}{sample.number:07d}"
        self._export.put_image(sample, place.format("image"), _SUFFIX)
        self._export.write(
            place.format("mask") + ".png", encode_png(self._colors.take(sample.label_map, axis=0))
        )
        self._export.write(place.format("lens") + ".yaml", _encoded(_scaled(lens, sample.record)))
        return lens.dimensions is not None

    def finish(self, prepared: Iterator[Prepared], facts: Facts) -> None:
        num_sizeless = 0
        lines: dict[str, list[str]] = {}
        for sample in prepared:
            record = sample.record
            num_sizeless += not sample.found
            line = f'{sample.number:07d},"{record.sample_id}"\n'
            lines.setdefault(record.split, ["number,sample_id\n"]).append(line)
        for split, of_split in lines.items():
            self._export.write(f"{split}/samples.csv", "".join(of_split).encode())
        if num_sizeless:
            facts.notes["cameras_without_dimensions_taken_to_be_of_the_image"] = num_sizeless


def why_no_lens(record: SampleRecord) -> str | None:
    """Why a row has no camera that VisualMesh can use, or None."""
    if record.camera is None:
        return "no camera"
    try:
        lens = _Lens.model_validate_json(record.camera)
    except ValidationError as error:
        faults = [(fault["loc"], fault["type"]) for fault in error.errors()]
        missing = [str(where[0]) for where, kind in faults if kind == "missing" and len(where) == 1]
        wrong = dict.fromkeys(str(where[0]) for where, _ in faults if where)
        if missing:
            return f"a camera without {', '.join(missing)}"
        return f"a camera with no usable {', '.join(wrong)}" if wrong else "a camera that is no mapping"
    if lens.dimensions is not None:
        width, height = lens.dimensions
        # Sizes are rounded when an image is scaled.
        if abs(height * record.width / width - record.height) > 1:
            return "a camera of another aspect ratio than the image"
    return None


def _scaled(lens: _Lens, record: SampleRecord) -> _Lens:
    """A camera for the image's size: lengths in px change with it; angles and places stay."""
    if lens.dimensions is None:
        return lens
    scale = record.width / lens.dimensions[0]
    changes = {
        "focal_length": lens.focal_length * scale,
        "centre": tuple(value * scale for value in lens.centre),
        "k": tuple(value / scale ** (2 * power) for power, value in enumerate(lens.k, 1)),
        "dimensions": (record.width, record.height),
    }
    return lens.model_copy(update=changes)


def _encoded(lens: _Lens) -> bytes:
    values = lens.model_dump(mode="json", exclude_none=True)
    return yaml.safe_dump(values, sort_keys=False, default_flow_style=None, width=200).encode()
