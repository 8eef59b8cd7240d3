"""torchvision's reader of Cityscapes gets images, classes, objects and colours back."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import Cityscapes

from manifests.exports.cityscapes import Cityscapes as CityscapesFormat
from manifests.exports.classes import ExportClass, ExportClasses, ExportError


def train_ids(path: str) -> np.ndarray:
    label = path.replace("leftImg8bit", "gtFine").removesuffix(".png") + "_labelTrainIds.png"
    return np.array(Image.open(label))


def test_cityscapes_is_read_back(write: Callable, dataset) -> None:
    folder, report = write("cityscapes")
    assert report["instances"] == {"field": 4, "ball": 8, "robot": 28}
    labels = json.loads((folder / "labels.json").read_text())
    assert [(label["id"], label["trainId"], label["name"]) for label in labels] == [
        (0, 0, "background"),
        (1, 1, "field"),
        (2, 2, "ball"),
        (3, 3, "robot"),
    ]
    num = 0
    for split in ("train", "val", "test"):
        read = Cityscapes(folder, split=split, mode="fine", target_type=["semantic", "instance", "color"])
        for path, (image, (semantic, instance, color)) in zip(read.images, read, strict=True):
            num += 1
            assert Path(path).parent.name == "kid-size"
            name = Path(path).name.removesuffix("_leftImg8bit.png")
            label_map = dataset.label_maps[name]
            ids = np.where(label_map == 4, 255, label_map)
            assert (np.array(image) == dataset.images[name]).all()
            assert (np.array(semantic) == ids).all() and (train_ids(path) == ids).all()
            numbers = np.array(instance)
            assert (np.where(numbers >= 1000, numbers // 1000, numbers) == ids).all()
            assert len(np.unique(numbers[label_map == 3])) == 7
            assert (np.array(color.convert("RGB"))[label_map == 2] == (255, 0, 0)).all()
    assert num == len(dataset.records)


def test_train_ids_count_from_zero_where_every_class_is_exported(write: Callable, dataset) -> None:
    classes = {name: ExportClass() for name in ("environment", "field", "ball", "robot")}
    folder, _ = write("cityscapes", classes=classes, splits=["val"])
    [path] = Cityscapes(folder, split="val", mode="fine", target_type="semantic").images
    label_map = dataset.label_maps[Path(path).name.removesuffix("_leftImg8bit.png")]
    assert (train_ids(path) == np.where(label_map == 4, 255, label_map)).all()
    label = json.loads((folder / "labels.json").read_text())[0]
    assert (label["trainId"], label["ignoreInEval"]) == (255, True)


def test_objects_beyond_a_thousand_keep_the_class_alone(write: Callable, dataset, monkeypatch) -> None:
    monkeypatch.setattr("manifests.exports.cityscapes.INSTANCES_PER_CLASS", 5)
    folder, report = write("cityscapes", splits=["val"])
    assert report["instances_without_a_number"] == 2
    [(_, instance)] = Cityscapes(folder, split="val", mode="fine", target_type="instance")
    numbers = np.array(instance)
    [record] = [record for record in dataset.records if record.split == "val"]
    found = numbers[dataset.label_maps[record.sample_id] == 3]
    assert set(np.unique(found)) == {3, 15, 16, 17, 18, 19}


def test_more_classes_than_instance_ids_hold_are_refused(dataset) -> None:
    palette = {"classes": [{"name": str(number), "color": [number, 0, 0]} for number in range(66)]}

    class Target:
        classes = ExportClasses(None, palette)

    with pytest.raises(ExportError, match="would have 66 classes, and Cityscapes' instance ids hold 65"):
        CityscapesFormat(Target())
