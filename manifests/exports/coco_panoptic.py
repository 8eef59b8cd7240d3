"""COCO panoptic: a PNG for each image in which every pixel names its region."""

from collections.abc import Iterator
from itertools import count, groupby
from typing import Any

import numpy as np

from manifests.exports.coco_file import coco_file
from manifests.exports.pictures import encode_png
from manifests.exports.sample import Export, Facts, Prepared, Sample

__all__ = ["CocoPanoptic"]


class CocoPanoptic:
    """images/<split>/, annotations/panoptic_<split>/*.png with id = R + 256 G + 65536 B, and
    annotations/panoptic_<split>.json. Pixels that belong to no region are 0, which the format calls void."""

    def __init__(self, export: Export):
        self._export = export

    def prepare(self, sample: Sample) -> list[dict[str, Any]]:
        """The sample's segments."""
        record = sample.record
        self._export.put_image(sample, f"images/{record.split}/{record.sample_id}")
        numbers = np.zeros(sample.label_map.shape, np.uint32)
        for number, region in enumerate(sample.regions, 1):
            region.draw(numbers, number)
        pixels = np.stack([numbers >> shift & 255 for shift in (0, 8, 16)], axis=2).astype(np.uint8)
        self._export.write(f"annotations/panoptic_{record.split}/{record.sample_id}.png", encode_png(pixels))
        return [
            {
                "id": number,
                "category_id": region.index,
                "bbox": list(region.box),
                "area": region.area,
                "iscrowd": 0,
            }
            for number, region in enumerate(sample.regions, 1)
        ]

    def finish(self, prepared: Iterator[Prepared], facts: Facts) -> None:
        categories = self._categories()
        image_ids = count(1)
        for split, samples in groupby(prepared, key=lambda sample: sample.record.split):
            path = self._export.place(f"annotations/panoptic_{split}.json")
            with coco_file(path, self._export, categories) as file:
                for sample in samples:
                    image_id = next(image_ids)
                    name = f"{sample.record.sample_id}.png"
                    annotation = {"image_id": image_id, "file_name": name, "segments_info": sample.found}
                    file.add(sample.record, image_id, [annotation])

    def _categories(self) -> list[dict[str, Any]]:
        classes = self._export.classes
        return [
            {
                "id": number,
                "name": name,
                "supercategory": name,
                "isthing": int(classes.is_thing[number - 1]),
                "color": list(classes.colors[number]),
            }
            for number, name in enumerate(classes.names, 1)
        ]
