"""COCO's JSON files: two long lists, written as they come, so that none is held in memory."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from manifests.exports.sample import Export, image_suffix
from manifests.schema import SampleRecord

__all__ = ["CocoFile", "coco_file"]


class CocoFile:
    """A JSON file that is open for images and their annotations."""

    def __init__(self, images: Any, annotations: Any, licence: int | None):
        self._images, self._annotations, self._licence = images, annotations, licence
        self._separators = {id(images): "", id(annotations): ""}

    def add(self, record: SampleRecord, image_id: int, annotations: Iterable[dict[str, Any]]) -> None:
        """An image and what is annotated in it."""
        image: dict[str, Any] = {
            "id": image_id,
            "file_name": f"{record.sample_id}{image_suffix(record)}",
            "width": record.width,
            "height": record.height,
        }
        if self._licence is not None:
            image["license"] = self._licence
        self._write(self._images, image)
        for annotation in annotations:
            self._write(self._annotations, annotation)

    def _write(self, file: Any, value: dict[str, Any]) -> None:
        file.write(self._separators[id(file)] + json.dumps(value))
        self._separators[id(file)] = ",\n"


@contextmanager
def coco_file(path: Path, export: Export, categories: list[dict[str, Any]]) -> Iterator[CocoFile]:
    """A file to add images to; it is whole when the block ends.

    Args:
        path: the file.
        export: whose images they are.
        categories: the file's classes.
    """
    about = export.about
    licences = [{"id": 1, "name": about.licence, "url": ""}] if about.licence else []
    info = {"description": about.description, "url": about.url}
    head = json.dumps({"info": info, "licenses": licences, "categories": categories})
    with path.open("w") as images, tempfile.TemporaryFile("w+", dir=path.parent) as annotations:
        images.write(f'{head[:-1]}, "images": [\n')
        yield CocoFile(images, annotations, 1 if licences else None)
        images.write('\n], "annotations": [\n')
        annotations.seek(0)
        shutil.copyfileobj(annotations, images)
        images.write("\n]}\n")
