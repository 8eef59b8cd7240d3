"""Readers of VOC, Cityscapes, VisualMesh and the CycleGAN family get images and labels back."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from torchvision.datasets import Cityscapes, VOCSegmentation

from manifests.decoding import decode_image
from manifests.exports.classes import ExportError
from manifests.exports.export import export
from manifests.manifest import Manifest
from pipeline.config import SourcesConfig
from pipeline.palette import Palette
from pipeline.prepare import prepare


def test_voc_is_read_back(write: Callable, dataset, tmp_path: Path) -> None:
    folder, report = write("voc")
    is_jpeg = dataset.records[0].image_file_name.endswith(".jpg")
    assert report["images encoded anew as JPEG"] == (0 if is_jpeg else 4)
    (tmp_path / "devkit/VOCdevkit").mkdir(parents=True)
    (tmp_path / "devkit/VOCdevkit/VOC2012").symlink_to(folder)
    by_split = {"train": 2, "val": 1, "trainval": 3}
    for split, num in by_split.items():
        read = VOCSegmentation(tmp_path / "devkit", image_set=split)
        assert len(read) == num
        names = (folder / f"ImageSets/Segmentation/{split}.txt").read_text().splitlines()
        for name, (image, target) in zip(names, read, strict=True):
            label_map = dataset.label_maps[name]
            wanted = np.where(label_map == 4, 255, np.where(label_map == 0, 0, label_map))
            assert target.mode == "P" and (np.array(target) == wanted).all()
            difference = np.abs(np.array(image).astype(int) - dataset.images[name])
            assert difference.max() == 0 if is_jpeg else difference.mean() < 2
    assert target.getpalette()[3:6] == [0, 255, 0]
    assert (folder / "labelmap.txt").read_text().splitlines()[:2] == ["background:0,0,0::", "field:0,255,0::"]


def test_cityscapes_is_read_back(write: Callable, dataset) -> None:
    folder, _ = write("cityscapes")
    names = {label["id"]: label["name"] for label in json.loads((folder / "labels.json").read_text())}
    assert names == {1: "field", 2: "ball", 3: "robot"}
    num = 0
    for split in ("train", "val", "test"):
        read = Cityscapes(folder, split=split, mode="fine", target_type=["semantic", "instance", "color"])
        for path, (image, (semantic, instance, color)) in zip(read.images, read, strict=True):
            num += 1
            name = Path(path).name.removesuffix("_leftImg8bit.png")
            label_map = np.where(dataset.label_maps[name] == 4, 0, dataset.label_maps[name])
            assert (np.array(image) == dataset.images[name]).all()
            assert (np.array(semantic) == label_map).all()
            train_ids = path.replace("leftImg8bit", "gtFine").removesuffix(".png") + "_labelTrainIds.png"
            assert (np.array(Image.open(train_ids)) == np.where(label_map == 0, 255, label_map - 1)).all()
            numbers = np.array(instance)
            assert (np.where(numbers >= 1000, numbers // 1000, numbers) == label_map).all()
            assert len(np.unique(numbers[label_map == 3])) == 7
            assert (np.array(color.convert("RGB"))[label_map == 2] == (255, 0, 0)).all()
    assert num == len(dataset.records)


def palette_of(manifest: Manifest) -> Palette:
    return Palette.model_validate(manifest.palette)


def test_visualmesh_is_read_back_with_the_camera_at_the_images_size(
    write: Callable, dataset, tmp_path: Path
) -> None:
    folder, report = write("visualmesh")
    assert report["skipped"] == {"no camera": 1} and report["images"] == 3
    lens = yaml.safe_load((folder / "train/lens0000000.yaml").read_text())
    assert lens == {
        "projection": "RECTILINEAR",
        "focal_length": 10.0,
        "centre": [1.0, 0.5],
        "dimensions": [48, 32],
    }
    found = prepare(
        SourcesConfig(labels=(folder / "train",)),
        palette_of(dataset.manifest),
        cache=tmp_path / "cache.json",
        quarantine=tmp_path / "bad",
        needs_photos=False,
    )
    [record] = found.records
    assert json.loads(record.camera) == lens
    wanted = next(r for r in dataset.records if r.split == "train" and r.camera)
    assert record.class_pixel_counts == wanted.class_pixel_counts
    [image] = (folder / "train").glob("image*")
    assert (decode_image(image.read_bytes()) == dataset.images[wanted.sample_id]).all()


def test_visualmesh_without_any_camera_is_refused(make_dataset: Callable[..., Path], tmp_path: Path) -> None:
    root = make_dataset("png", with_cameras=False)
    with pytest.raises(ExportError, match="No row has a camera, which VisualMesh needs"):
        export(Manifest.open(root), tmp_path / "out", "visualmesh")
    assert not (tmp_path / "out/export.json").exists()


def test_the_cyclegan_layout_is_a_source_again(write: Callable, dataset, tmp_path: Path) -> None:
    folder, _ = write("cyclegan")
    found = prepare(
        SourcesConfig(labels=(folder,), photos=(folder,)),
        palette_of(dataset.manifest),
        cache=tmp_path / "cache.json",
        quarantine=tmp_path / "bad",
    )
    counts = {Path(record.source_label).stem: record.class_pixel_counts for record in found.records}
    wanted = {r.sample_id: r.class_pixel_counts for r in dataset.records if r.split != "val"}
    assert counts == wanted and {photo.path.stem for photo in found.photos} == set(wanted)
    for record in dataset.records:
        [image] = (folder / f"{record.split}B").glob(f"{record.sample_id}.*")
        assert (decode_image(image.read_bytes()) == dataset.images[record.sample_id]).all()
