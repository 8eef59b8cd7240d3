"""Cityscapes: four PNGs of classes and objects for each image, by split and city."""

import json
from collections import Counter
from collections.abc import Iterator

import numpy as np

from manifests.exports.classes import IGNORED, NONE, ExportError
from manifests.exports.pictures import encode_png
from manifests.exports.sample import Export, Facts, Prepared, Sample

__all__ = ["Cityscapes"]

INSTANCES_PER_CLASS = 1_000
"""instanceIds are class id x 1000 + number; what is beyond keeps the class id alone, as crowds do."""
MAX_CLASSES = 65
"""More do not fit into 16 bits."""


class Cityscapes:
    """leftImg8bit/<split>/<city>/, gtFine/<split>/<city>/ with labelIds, labelTrainIds, instanceIds and
    color. A segmentation set is a city.

    A label id is the class's number from 1; 0 is what belongs to none, and 255 what the palette ignores.
    Train ids are the same where classes of the palette belong to none, such as a background: a network has to
    learn these, too. Otherwise they count from 0. 255 is ignored. labels.json tells them all.
    """

    def __init__(self, export: Export):
        if len(export.classes) > MAX_CLASSES:
            raise ExportError(
                f"The export would have {len(export.classes)} classes, and Cityscapes' instance ids hold "
                f"{MAX_CLASSES}; merge some by --classes."
            )
        self._export = export
        self._colors = export.classes.index_colors
        self._train_ids = np.full(256, IGNORED, np.uint8)
        first = NONE if export.classes.has_none else NONE + 1
        numbers = np.arange(first, len(export.classes) + 1)
        self._train_ids[numbers] = numbers - first

    def prepare(self, sample: Sample) -> int:
        """How many objects did not get a number of their own."""
        record = sample.record
        city = "".join(letter if letter.isalnum() else "-" for letter in record.source_set) or "set"
        place = f"{record.split}/{city}/{record.sample_id}"
        self._export.put_image(sample, f"leftImg8bit/{place}_leftImg8bit", ".png")
        instances, num_left = self._instances(sample)
        for kind, pixels in {
            "labelIds": sample.index_map,
            "labelTrainIds": self._train_ids.take(sample.index_map),
            "instanceIds": instances,
            "color": self._colors.take(sample.index_map, axis=0),
        }.items():
            self._export.write(f"gtFine/{place}_gtFine_{kind}.png", encode_png(pixels))
        return num_left

    def finish(self, prepared: Iterator[Prepared], facts: Facts) -> None:
        if num_left := sum(sample.found for sample in prepared):
            facts.notes["instances_without_a_number"] = num_left
        classes = self._export.classes
        labels = [
            {
                "name": name,
                "id": number,
                "trainId": int(self._train_ids[number]),
                "hasInstances": number > NONE and classes.is_thing[number - 1],
                "ignoreInEval": bool(self._train_ids[number] == IGNORED),
                "color": list(color),
            }
            for number, (name, color) in enumerate(
                zip((classes.none_name, *classes.names), classes.colors, strict=True)
            )
        ]
        self._export.write("labels.json", json.dumps(labels, indent=1).encode())

    def _instances(self, sample: Sample) -> tuple[np.ndarray, int]:
        """uint16 [H, W] of instance ids, and how many objects have none."""
        instances = sample.index_map.astype(np.uint16)
        numbers: Counter[int] = Counter()
        for region in sample.regions:
            if self._export.classes.is_thing[region.index - 1]:
                number = numbers[region.index]
                numbers[region.index] += 1
                if number < INSTANCES_PER_CLASS:
                    region.draw(instances, region.index * INSTANCES_PER_CLASS + number)
        return instances, sum(max(0, num - INSTANCES_PER_CLASS) for num in numbers.values())
