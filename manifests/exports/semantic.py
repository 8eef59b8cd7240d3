"""Formats with a picture of classes for each image: VOC, Cityscapes, VisualMesh, the CycleGAN family's."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import yaml

from manifests.exports.classes import ExportError
from manifests.exports.sample import Export, Facts, Sample, encode_png, palette_png
from manifests.schema import SampleRecord

__all__ = ["Cityscapes", "CycleGan", "VisualMesh", "Voc"]

IGNORED = 255
JPEG_QUALITY = 95
INSTANCES_PER_CLASS = 1_000


class Voc:
    """JPEGImages/, SegmentationClass/ (palette PNG, 0 = no class, 255 = ignored), ImageSets/Segmentation/.

    Its readers want JPEG: images that are PNG are encoded anew, which loses a little.
    """

    def __init__(self, export: Export):
        self._export = export
        colors = [(0, 0, 0), *export.classes.colors]
        self._colors = colors + [(0, 0, 0)] * (IGNORED - len(colors)) + [(224, 224, 192)]

    def prepare(self, sample: Sample) -> bool:
        """Whether the image was encoded anew."""
        name, is_jpeg = sample.record.sample_id, sample.image_suffix == ".jpg"
        image = sample.image if is_jpeg else _jpeg(sample.pixels())
        self._export.write(f"JPEGImages/{name}.jpg", image)
        indices = _with_ignored(self._export, sample)
        self._export.write(f"SegmentationClass/{name}.png", palette_png(indices, self._colors))
        return not is_jpeg

    def finish(self, prepared: Iterator[tuple[SampleRecord, Any]], facts: Facts) -> None:
        names: dict[str, list[str]] = {split: [] for split in self._export.splits}
        facts.notes["images encoded anew as JPEG"] = 0
        for record, was_encoded in prepared:
            names[record.split].append(record.sample_id)
            facts.notes["images encoded anew as JPEG"] += was_encoded
        if {"train", "val"} <= names.keys():
            names["trainval"] = sorted(names["train"] + names["val"])
        for split, of_split in names.items():
            text = "".join(f"{name}\n" for name in of_split)
            self._export.write(f"ImageSets/Segmentation/{split}.txt", text.encode())
        lines = ["background:0,0,0::\n"]
        for name, color in zip(self._export.classes.names, self._export.classes.colors, strict=True):
            lines.append(f"{name}:{','.join(map(str, color))}::\n")
        self._export.write("labelmap.txt", "".join(lines).encode())


class Cityscapes:
    """leftImg8bit/<split>/<set>/, gtFine/<split>/<set>/ with labelIds, labelTrainIds, instanceIds and color.

    A class's id is its number from 1, its train id one less; 0 and 255 are what belongs to none. labels.json
    names them.
    """

    def __init__(self, export: Export):
        self._export = export

    def prepare(self, sample: Sample) -> None:
        record = sample.record
        city = "".join(letter if letter.isalnum() else "-" for letter in record.source_set)
        place = f"{record.split}/{city}/{record.sample_id}"
        image = sample.image if sample.image_suffix == ".png" else encode_png(sample.pixels())
        self._export.write(f"leftImg8bit/{place}_leftImg8bit.png", image)
        indices = self._export.classes.index_map(sample.label_map)
        instances = indices.astype(np.uint16)
        numbers: dict[int, int] = defaultdict(int)
        for region in self._export.regions(sample):
            if self._export.classes.is_thing[region.index - 1]:
                instances[region.mask] = region.index * INSTANCES_PER_CLASS + numbers[region.index]
                numbers[region.index] += 1
        colors = np.array([(0, 0, 0), *self._export.classes.colors], np.uint8)
        for kind, pixels in {
            "labelIds": indices,
            "labelTrainIds": indices - np.uint8(1),  # 0 becomes 255
            "instanceIds": instances,
            "color": colors[indices],
        }.items():
            self._export.write(f"gtFine/{place}_gtFine_{kind}.png", encode_png(pixels))

    def finish(self, prepared: Iterator[tuple[SampleRecord, Any]], facts: Facts) -> None:
        for _ in prepared:
            pass
        classes = self._export.classes
        labels = [
            {"name": name, "id": number, "trainId": number - 1, "hasInstances": thing, "color": list(color)}
            for number, (name, thing, color) in enumerate(
                zip(classes.names, classes.is_thing, classes.colors, strict=True), 1
            )
        ]
        self._export.write("labels.json", json.dumps(labels, indent=1).encode())


class VisualMesh:
    """image<number>, mask<number>.png in colours, lens<number>.yaml: the camera as the row has it, brought to
    the image's size. Rows without a camera are left out, and counted."""

    def __init__(self, export: Export):
        self._export = export

    def prepare(self, sample: Sample) -> tuple[Sample, bytes] | None:
        if sample.record.camera is None:
            return None
        lens = _scaled(json.loads(sample.record.camera), sample.record)
        return sample, yaml.safe_dump(lens, sort_keys=False, default_flow_style=None, width=200).encode()

    def finish(self, prepared: Iterator[tuple[SampleRecord, Any]], facts: Facts) -> None:
        colors = np.array([entry["color"] for entry in self._export.palette["classes"]], np.uint8)
        numbers: dict[str, int] = defaultdict(int)
        for record, found in prepared:
            if found is None:
                facts.skipped["no camera"] += 1
                continue
            sample, lens = found
            number = numbers[record.split]
            numbers[record.split] += 1
            place = f"{record.split}/{{}}{number:07d}"
            self._export.write(place.format("image") + sample.image_suffix, sample.image)
            self._export.write(place.format("mask") + ".png", encode_png(colors[sample.label_map]))
            self._export.write(place.format("lens") + ".yaml", lens)
        if not numbers:
            raise ExportError(
                "No row has a camera, which VisualMesh needs; bring lens or meta files beside the labels, or "
                "draw labels by `seg2real scenes`."
            )


class CycleGan:
    """<split>A/ with labels in the palette's colours, <split>B/ with images; equal stems belong together."""

    def __init__(self, export: Export):
        self._export = export
        self._colors = np.array([entry["color"] for entry in export.palette["classes"]], np.uint8)

    def prepare(self, sample: Sample) -> None:
        record = sample.record
        picture = encode_png(self._colors[sample.label_map])
        self._export.write(f"{record.split}A/{record.sample_id}.png", picture)
        self._export.write(f"{record.split}B/{record.sample_id}{sample.image_suffix}", sample.image)

    def finish(self, prepared: Iterator[tuple[SampleRecord, Any]], facts: Facts) -> None:
        for _ in prepared:
            pass


def _jpeg(pixels: np.ndarray) -> bytes:
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    is_done, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), quality)
    assert is_done
    return data.tobytes()


def _with_ignored(export: Export, sample: Sample) -> np.ndarray:
    indices = export.classes.index_map(sample.label_map)
    indices[export.classes.is_ignored[sample.label_map]] = IGNORED
    return indices


def _scaled(camera: dict[str, Any], record: SampleRecord) -> dict[str, Any]:
    """A camera for the image's size: lengths in px shrink with it; angles and places stay."""
    if "dimensions" not in camera:
        return camera
    scale = record.width / camera["dimensions"][0]
    changed = {"dimensions": [record.width, record.height]}
    if "focal_length" in camera:
        changed["focal_length"] = camera["focal_length"] * scale
    if "centre" in camera:
        changed["centre"] = [value * scale for value in camera["centre"]]
    return camera | changed
