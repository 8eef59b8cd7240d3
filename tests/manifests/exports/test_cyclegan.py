"""The CycleGAN layout is found by our own search again, and its labels are the dataset's."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from manifests.decoding import decode_image
from manifests.exports.classes import ExportClass
from pipeline.config import SourcesConfig
from pipeline.palette import Palette
from pipeline.prepare import prepare


def test_the_cyclegan_layout_is_a_source_again(write: Callable, dataset, tmp_path: Path) -> None:
    folder, _ = write("cyclegan")
    found = prepare(
        SourcesConfig(labels=(folder,), photos=(folder,)),
        Palette.model_validate(dataset.manifest.palette),
        cache=tmp_path / "cache.json",
        quarantine=tmp_path / "bad",
    )
    counts = {Path(record.source_label).stem: record.class_pixel_counts for record in found.records}
    wanted = {r.sample_id: r.class_pixel_counts for r in dataset.records if r.split != "val"}
    assert counts == wanted and {photo.path.stem for photo in found.photos} == set(wanted)
    colors = np.array([entry["color"] for entry in dataset.manifest.palette["classes"]])
    for record in dataset.records:
        [image] = (folder / f"{record.split}B").glob(f"{record.sample_id}.*")
        assert (decode_image(image.read_bytes()) == dataset.images[record.sample_id]).all()
        label = decode_image((folder / f"{record.split}A" / f"{record.sample_id}.png").read_bytes())
        assert (label == colors[dataset.label_maps[record.sample_id]]).all()


def test_classes_that_are_left_out_become_background(write: Callable, dataset) -> None:
    folder, _ = write("cyclegan", classes={"ball": ExportClass()}, splits=["val"])
    [path] = (folder / "valA").iterdir()
    label_map = dataset.label_maps[path.stem]
    colors = np.array([(0, 0, 0), (0, 0, 0), (255, 0, 0), (0, 0, 0), (9, 9, 9)])
    assert (decode_image(path.read_bytes()) == colors[label_map]).all()
