"""COCO's own reader gets the masks, boxes and areas of the labels back, exactly."""

import json
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from manifests.about import About, write_about
from manifests.decoding import decode_image
from manifests.exports.coco import run_lengths
from manifests.exports.export import export
from manifests.exports.regions import Region

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:pycocotools")


def test_instances_are_read_back(write: Callable, dataset) -> None:
    folder, report = write("coco")
    assert report["instances"] == {"field": 4, "ball": 8, "robot": 28}
    assert report["things"] == ["ball", "robot"] and report["image_files"] == {"copied": 4}
    image_ids, annotation_ids = [], []
    for split in ("train", "val", "test"):
        coco = COCO(str(folder / f"annotations/instances_{split}.json"))
        names = {category["id"]: category["name"] for category in coco.loadCats(coco.getCatIds())}
        assert names == {1: "field", 2: "ball", 3: "robot"}
        for image in coco.loadImgs(coco.getImgIds()):
            image_ids.append(image["id"])
            sample = image["file_name"].rpartition(".")[0]
            label_map = dataset.label_maps[sample]
            data = (folder / "images" / split / image["file_name"]).read_bytes()
            assert (decode_image(data) == dataset.images[sample]).all()
            covered = np.zeros(label_map.shape, int)
            for annotation in coco.loadAnns(coco.getAnnIds(image["id"])):
                annotation_ids.append(annotation["id"])
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
    assert image_ids == list(range(1, 5)) and annotation_ids == list(range(1, 41))


def test_results_can_be_loaded_against_it(write: Callable) -> None:
    folder, _ = write("coco", splits=["val"])
    assert not (folder / "annotations/instances_train.json").exists()
    coco = COCO(str(folder / "annotations/instances_val.json"))
    found = [
        {key: annotation[key] for key in ("image_id", "category_id", "segmentation")} | {"score": 0.5}
        for annotation in coco.loadAnns(coco.getAnnIds())
    ]
    results = coco.loadRes(found)
    pairs = zip(coco.loadAnns(coco.getAnnIds()), results.loadAnns(results.getAnnIds()), strict=True)
    for annotation, result in pairs:
        assert annotation["bbox"] == list(result["bbox"]) and annotation["area"] == result["area"]


def test_small_regions_are_counted_and_no_instances(write: Callable) -> None:
    _, report = write("coco", min_area=2, splits=["val"])
    assert report["instances"] == {"field": 1, "ball": 1, "robot": 7}
    assert report["too_small_for_instances"] == {"ball": 1}


def test_images_name_the_licence(dataset, tmp_path) -> None:
    write_about(dataset.manifest.store, About(licence="CC-BY-4.0"))
    try:
        export(dataset.manifest, tmp_path / "out", "coco")
    finally:
        dataset.manifest.store.remove("_versions/about.json")
    found = json.loads((tmp_path / "out/annotations/instances_val.json").read_text())
    assert found["licenses"] == [{"id": 1, "name": "CC-BY-4.0", "url": ""}]
    assert [image["license"] for image in found["images"]] == [1]


def test_an_image_without_instances_is_listed(write: Callable, dataset) -> None:
    folder, _ = write("coco", min_area=10_000)
    coco = COCO(str(folder / "annotations/instances_train.json"))
    assert len(coco.getImgIds()) == 2 and coco.getAnnIds() == []


@settings(max_examples=150, deadline=None)
@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))), st.lists(st.integers(0, 3), min_size=4))
def test_run_lengths_are_those_of_pycocotools(part: np.ndarray, margins: list[int]) -> None:
    part[[0, -1], 0] = part[0, -1] = True  # a box has no empty border
    top, left, bottom, right = margins[:4]
    mask = np.pad(part, ((top, bottom), (left, right)))
    region = Region(1, (left, top, part.shape[1], part.shape[0]), part, int(part.sum()))
    found = run_lengths(region, width=mask.shape[1], height=mask.shape[0])
    wanted = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    assert (found["size"], found["counts"].encode()) == (list(mask.shape), wanted["counts"])
    assert (coco_mask.decode(found) == mask).all()
