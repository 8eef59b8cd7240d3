"""COCO instances: masks as exact run lengths. Read by pycocotools and all that builds on it."""

from collections.abc import Iterator
from itertools import count, groupby
from typing import Any

import numpy as np

from manifests.exports.coco_file import coco_file
from manifests.exports.regions import Region
from manifests.exports.sample import Export, Facts, Prepared, Sample

__all__ = ["Coco", "run_lengths"]


class Coco:
    """images/<split>/, annotations/instances_<split>.json; masks are run lengths, so that nothing is lost.

    A class that is no thing has one annotation in an image, of all its pixels. Ids count from 1 through all
    splits; names of images are relative to the folder of their split.
    """

    def __init__(self, export: Export):
        self._export = export

    def prepare(self, sample: Sample) -> list[dict[str, Any]]:
        """The sample's annotations, without ids."""
        record = sample.record
        self._export.put_image(sample, f"images/{record.split}/{record.sample_id}")
        return [
            {
                "category_id": region.index,
                "bbox": list(region.box),
                "area": region.area,
                "iscrowd": 0,
                "segmentation": run_lengths(region, width=record.width, height=record.height),
            }
            for region in sample.regions
        ]

    def finish(self, prepared: Iterator[Prepared], facts: Facts) -> None:
        names = self._export.classes.names
        categories = [
            {"id": number, "name": name, "supercategory": name} for number, name in enumerate(names, 1)
        ]
        image_ids, annotation_ids = count(1), count(1)
        for split, samples in groupby(prepared, key=lambda sample: sample.record.split):
            path = self._export.place(f"annotations/instances_{split}.json")
            with coco_file(path, self._export, categories) as file:
                for sample in samples:
                    image_id = next(image_ids)
                    annotations = (
                        {"id": next(annotation_ids), "image_id": image_id} | found for found in sample.found
                    )
                    file.add(sample.record, image_id, annotations)


def run_lengths(region: Region, *, width: int, height: int) -> dict[str, Any]:
    """A region of an image of some size in px as COCO's compressed run lengths; exact.

    Runs go down the columns. They are counted in the region's box: the rest of the image is never looked at.
    """
    from pycocotools import mask as coco_mask

    left, top, _, _ = region.box
    columns, rows = np.nonzero(region.part.T)
    places = (columns + left) * height + rows + top
    gaps = np.flatnonzero(places[1:] - places[:-1] != 1)
    edges = np.zeros(2 * len(gaps) + 3, np.int64)  # where the image begins, and every run begins and ends
    edges[1], edges[3::2] = places[0], places[gaps + 1]
    edges[2:-1:2], edges[-1] = places[gaps] + 1, places[-1] + 1
    counts = (edges[1:] - edges[:-1]).tolist()
    if rest := width * height - int(edges[-1]):
        counts.append(rest)
    found = coco_mask.frPyObjects({"size": [height, width], "counts": counts}, height, width)
    return {"size": [height, width], "counts": found["counts"].decode("ascii")}
