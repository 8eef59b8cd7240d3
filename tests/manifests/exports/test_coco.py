"""COCO's own reader gets the masks, boxes and areas of the labels back, exactly."""

import json
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from manifests.decoding import decode_image

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:pycocotools")


def test_instances_are_read_back(write: Callable, dataset) -> None:
    folder, report = write("coco")
    assert report["instances"] == {"ball": 8, "field": 4, "robot": 28}
    num_images = 0
    for split in ("train", "val", "test"):
        coco = COCO(str(folder / f"annotations/instances_{split}.json"))
        names = {category["id"]: category["name"] for category in coco.loadCats(coco.getCatIds())}
        assert names == {1: "field", 2: "ball", 3: "robot"}
        for image in coco.loadImgs(coco.getImgIds()):
            num_images += 1
            sample = image["file_name"].rpartition(".")[0]
            label_map = dataset.label_maps[sample]
            data = (folder / "images" / split / image["file_name"]).read_bytes()
            assert (decode_image(data) == dataset.images[sample]).all()
            covered = np.zeros(label_map.shape, int)
            for annotation in coco.loadAnns(coco.getAnnIds(image["id"])):
                mask = coco.annToMask(annotation).astype(bool)
                x, y, width, height = annotation["bbox"]
                assert annotation["area"] == mask.sum()
                assert mask[y : y + height, x : x + width].sum() == mask.sum()
                for edge in (mask[y], mask[y + height - 1], mask[:, x], mask[:, x + width - 1]):
                    assert edge.any()
                if names[annotation["category_id"]] != "field":
                    assert cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0] == 2
                covered[mask] += annotation["category_id"]
            assert (covered == np.where(label_map == 4, 0, label_map)).all()
    assert num_images == len(dataset.records) == report["images"]


def test_small_regions_are_no_instances(write: Callable, dataset) -> None:
    folder, report = write("coco", min_area=2, splits=["val"])
    assert report["instances"] == {"ball": 1, "field": 1, "robot": 7}
    assert not (folder / "annotations/instances_train.json").exists()


def test_a_panoptic_picture_holds_every_region(write: Callable, dataset) -> None:
    folder, report = write("coco-panoptic")
    assert report["instances"] == {"ball": 8, "field": 4, "robot": 28}
    for split in ("train", "val", "test"):
        found = json.loads((folder / f"annotations/panoptic_{split}.json").read_text())
        things = {category["name"]: category["isthing"] for category in found["categories"]}
        assert things == {"field": 0, "ball": 1, "robot": 1}
        images = {image["id"]: image for image in found["images"]}
        for annotation in found["annotations"]:
            sample = images[annotation["image_id"]]["file_name"].rpartition(".")[0]
            data = (folder / f"annotations/panoptic_{split}" / annotation["file_name"]).read_bytes()
            pixels = decode_image(data).astype(int)
            numbers = pixels[..., 0] + 256 * pixels[..., 1] + 65536 * pixels[..., 2]
            category_of = {0: 0}
            for segment in annotation["segments_info"]:
                category_of[segment["id"]] = segment["category_id"]
                assert segment["area"] == (numbers == segment["id"]).sum()
            label_map = dataset.label_maps[sample]
            read = np.vectorize(category_of.get)(numbers)
            assert (read == np.where(label_map == 4, 0, label_map)).all()
