"""A panoptic PNG, decoded by the format's rule, is the label map."""

import json
from collections.abc import Callable

import numpy as np

from manifests.decoding import decode_image


def test_a_panoptic_picture_holds_every_region(write: Callable, dataset) -> None:
    folder, report = write("coco-panoptic")
    assert report["instances"] == {"field": 4, "ball": 8, "robot": 28}
    image_ids = []
    for split in ("train", "val", "test"):
        found = json.loads((folder / f"annotations/panoptic_{split}.json").read_text())
        categories = {category["name"]: category for category in found["categories"]}
        things = {name: category["isthing"] for name, category in categories.items()}
        assert things == {"field": 0, "ball": 1, "robot": 1}
        assert categories["ball"]["color"] == [255, 0, 0]
        images = {image["id"]: image for image in found["images"]}
        image_ids += images
        for annotation in found["annotations"]:
            image = images[annotation["image_id"]]
            assert (folder / "images" / split / image["file_name"]).is_file()
            label_map = dataset.label_maps[image["file_name"].rpartition(".")[0]]
            data = (folder / f"annotations/panoptic_{split}" / annotation["file_name"]).read_bytes()
            pixels = decode_image(data).astype(int)
            numbers = pixels[..., 0] + 256 * pixels[..., 1] + 65536 * pixels[..., 2]
            category_of = {0: 0}
            for segment in annotation["segments_info"]:
                category_of[segment["id"]] = segment["category_id"]
                rows, columns = np.nonzero(numbers == segment["id"])
                assert segment["area"] == len(rows)
                x, y, width, height = segment["bbox"]
                assert (x, y) == (columns.min(), rows.min())
                assert (width, height) == (np.ptp(columns) + 1, np.ptp(rows) + 1)
            assert set(category_of) == set(np.unique(numbers))
            read = np.vectorize(category_of.get)(numbers)
            assert (read == np.where(label_map == 4, 0, label_map)).all()
    assert image_ids == [1, 2, 3, 4]


def test_more_regions_than_a_byte_counts_keep_their_numbers(write: Callable, dataset, monkeypatch) -> None:
    label_map = np.zeros((32, 48), np.uint8)
    label_map[::2, ::2] = 2  # 384 balls
    monkeypatch.setattr("manifests.exports.export.decode_label", lambda data: label_map)
    folder, report = write("coco-panoptic", splits=["val"])
    assert report["instances"] == {"field": 0, "ball": 384, "robot": 0}
    [path] = (folder / "annotations/panoptic_val").iterdir()
    pixels = decode_image(path.read_bytes()).astype(int)
    numbers = pixels[..., 0] + 256 * pixels[..., 1]
    assert sorted(numbers[::2, ::2].ravel()) == list(range(1, 385))
