"""COCO: instances as exact run lengths, and panoptic PNGs. Read by pycocotools and all that builds on it."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from manifests.exports.classes import ExportClasses
from manifests.exports.sample import Export, Facts, Sample, encode_png
from manifests.schema import SampleRecord

__all__ = ["Coco", "CocoPanoptic"]


class Coco:
    """images/<split>/, annotations/instances_<split>.json; masks are run lengths, so that nothing is lost."""

    def __init__(self, export: Export):
        self._export = export

    def prepare(self, sample: Sample) -> tuple[str, list[dict[str, Any]]]:
        file_name = f"{sample.record.sample_id}{sample.image_suffix}"
        self._export.write(f"images/{sample.record.split}/{file_name}", sample.image)
        annotations = [
            {
                "category_id": region.index,
                "bbox": list(region.box),
                "area": region.area,
                "iscrowd": 0,
                "segmentation": _run_lengths(region.mask),
            }
            for region in self._export.regions(sample)
        ]
        return file_name, annotations

    def finish(self, prepared: Iterator[tuple[SampleRecord, Any]], facts: Facts) -> None:
        categories = _categories(self._export.classes)
        found = {split: _empty(categories) for split in self._export.splits}
        for record, (file_name, annotations) in prepared:
            part = found[record.split]
            image_id = len(part["images"]) + 1
            part["images"].append(_image(record, file_name, image_id))
            for annotation in annotations:
                number = len(part["annotations"]) + 1
                part["annotations"].append({"id": number, "image_id": image_id} | annotation)
                facts.instances[self._export.classes.names[annotation["category_id"] - 1]] += 1
        for split, part in found.items():
            self._export.write(f"annotations/instances_{split}.json", json.dumps(part).encode())


class CocoPanoptic:
    """images/<split>/, panoptic_<split>/*.png with id = R + 256 G + 65536 B, panoptic_<split>.json."""

    def __init__(self, export: Export):
        self._export = export

    def prepare(self, sample: Sample) -> tuple[str, list[dict[str, Any]]]:
        record = sample.record
        file_name = f"{record.sample_id}{sample.image_suffix}"
        self._export.write(f"images/{record.split}/{file_name}", sample.image)
        numbers = np.zeros(sample.label_map.shape, np.uint32)
        segments = []
        for number, region in enumerate(self._export.regions(sample), 1):
            numbers[region.mask] = number
            segments.append(
                {
                    "id": number,
                    "category_id": region.index,
                    "bbox": list(region.box),
                    "area": region.area,
                    "iscrowd": 0,
                }
            )
        pixels = np.stack([numbers >> shift & 255 for shift in (0, 8, 16)], axis=2).astype(np.uint8)
        self._export.write(f"annotations/panoptic_{record.split}/{record.sample_id}.png", encode_png(pixels))
        return file_name, segments

    def finish(self, prepared: Iterator[tuple[SampleRecord, Any]], facts: Facts) -> None:
        categories = _categories(self._export.classes, panoptic=True)
        found = {split: _empty(categories) for split in self._export.splits}
        for record, (file_name, segments) in prepared:
            part = found[record.split]
            image_id = len(part["images"]) + 1
            part["images"].append(_image(record, file_name, image_id))
            part["annotations"].append(
                {"image_id": image_id, "file_name": f"{record.sample_id}.png", "segments_info": segments}
            )
            for segment in segments:
                facts.instances[self._export.classes.names[segment["category_id"] - 1]] += 1
        for split, part in found.items():
            self._export.write(f"annotations/panoptic_{split}.json", json.dumps(part).encode())


def _run_lengths(mask: np.ndarray) -> dict[str, Any]:
    from pycocotools import mask as coco_mask

    encoded = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return {"size": list(encoded["size"]), "counts": encoded["counts"].decode("ascii")}


def _categories(classes: ExportClasses, *, panoptic: bool = False) -> list[dict[str, Any]]:
    categories = []
    for number, name in enumerate(classes.names, 1):
        category = {"id": number, "name": name, "supercategory": name}
        if panoptic:
            category |= {
                "isthing": int(classes.is_thing[number - 1]),
                "color": list(classes.colors[number - 1]),
            }
        categories.append(category)
    return categories


def _empty(categories: list[dict[str, Any]]) -> dict[str, Any]:
    info = {"description": "Synthetic images with labels, made with seg2real"}
    return {"info": info, "licenses": [], "categories": categories, "images": [], "annotations": []}


def _image(record: SampleRecord, file_name: str, image_id: int) -> dict[str, Any]:
    return {"id": image_id, "file_name": file_name, "width": record.width, "height": record.height}
