"""torchvision's reader of VOC gets images and classes back."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from torchvision.datasets import VOCSegmentation


def test_voc_is_read_back(write: Callable, dataset, tmp_path: Path) -> None:
    folder, report = write("voc")
    is_jpeg = dataset.records[0].image_file_name.endswith(".jpg")
    assert report["image_files"] == ({"copied": 4} if is_jpeg else {"encoded anew": 4})
    assert "instances" not in report
    (tmp_path / "devkit/VOCdevkit").mkdir(parents=True)
    (tmp_path / "devkit/VOCdevkit/VOC2012").symlink_to(folder)
    for split, num in {"train": 2, "val": 1, "trainval": 3}.items():
        read = VOCSegmentation(tmp_path / "devkit", image_set=split)
        assert len(read) == num
        names = (folder / f"ImageSets/Segmentation/{split}.txt").read_text().splitlines()
        for name, (image, target) in zip(names, read, strict=True):
            label_map = dataset.label_maps[name]
            assert target.mode == "P" and (np.array(target) == np.where(label_map == 4, 255, label_map)).all()
            difference = np.abs(np.array(image).astype(int) - dataset.images[name])
            assert difference.max() == 0 if is_jpeg else difference.mean() < 2
    assert target.getpalette()[3:6] == [0, 255, 0]
    lines = (folder / "labelmap.txt").read_text().splitlines()
    assert lines == ["background:0,0,0::", "field:0,255,0::", "ball:255,0,0::", "robot:0,0,255::"]


def test_only_lists_of_exported_splits_are_there(write: Callable) -> None:
    folder, _ = write("voc", splits=["train"])
    assert [path.name for path in (folder / "ImageSets/Segmentation").iterdir()] == ["train.txt"]
