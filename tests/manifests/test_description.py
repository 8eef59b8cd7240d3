"""The card and croissant.json say what a dataset is, and nobody's own words are written over."""

import json
from collections.abc import Callable
from pathlib import Path

import mlcroissant
import numpy as np
import pytest
import yaml

from manifests.about import About, read_about, write_about
from manifests.commit import commit
from manifests.decoding import decode_image, decode_label
from manifests.description import describe_dataset
from manifests.manifest import Manifest
from manifests.push import push
from manifests.storage.folder import FolderStore
from manifests.verification.verify import verify

ABOUT = About(
    name="kid-size",
    description="A pitch.",
    licence="CC-BY-4.0",
    sources="Labels: drawn. Photographs: **mine**.",
    url="https://example.org/pitch",
)


def test_the_card_says_what_is_there(tmp_path: Path, publish: Callable) -> None:
    records = publish(tmp_path, "a", "b", "c")
    commit(tmp_path, remove=[records[0].sample_id], message="a <b>|c\nwas wrong")
    write_about(FolderStore(tmp_path), ABOUT)
    describe_dataset(tmp_path)
    text = (tmp_path / "README.md").read_text()
    front, body = text.split("---\n")[1], text.split("---\n", 2)[2]
    matter = yaml.safe_load(front)
    assert matter["license"] == "cc-by-4.0" and matter["size_categories"] == ["n<1K"]
    assert matter["configs"][0]["data_files"][0]["path"][0] == "metadata.parquet"
    for words in (
        "# kid-size",
        "A pitch.",
        "2 images of 2 labels",
        "version 2",
        "| 1 | field | 0 255 0 | ",
        "Labels: drawn. Photographs: **mine**.",
        "Licence: CC-BY-4.0.",
        "| 0 | 1 | a &lt;b>\\|c was wrong |",
    ):
        assert words in body
    assert verify(tmp_path, deep=True).is_ok


def test_what_is_not_stated_is_said_to_be_so(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, "a")
    describe_dataset(tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "The licence was not stated" in text and "license" not in text.split("---\n")[1]
    assert "not stated" in json.loads((tmp_path / "croissant.json").read_text())["license"]
    write_about(FolderStore(tmp_path), About(licence="Ask Jane"))
    describe_dataset(tmp_path)
    front = yaml.safe_load((tmp_path / "README.md").read_text().split("---\n")[1])
    assert (front["license"], front["license_name"]) == ("other", "Ask Jane")


def test_a_card_is_renewed_until_somebody_changes_it(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, "a")
    describe_dataset(tmp_path)
    first = (tmp_path / "README.md").read_text()
    describe_dataset(tmp_path)
    assert (tmp_path / "README.md").read_text() == first
    publish(tmp_path, "b")
    describe_dataset(tmp_path)
    second = (tmp_path / "README.md").read_text()
    assert second != first and "2 images of 2 labels" in second
    for edited in (second.replace("Limits", "My limits"), "my words", second + "more\n"):
        (tmp_path / "README.md").write_text(edited)
        describe_dataset(tmp_path)
        assert (tmp_path / "README.md").read_text() == edited
    (tmp_path / "README.md").unlink()
    describe_dataset(tmp_path)
    assert (tmp_path / "README.md").read_text() == second


def test_words_are_remembered_and_go_along(tmp_path: Path, publish: Callable) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    publish(source, "a")
    store = FolderStore(source)
    assert read_about(store) == About()
    write_about(store, ABOUT)
    assert read_about(store) == ABOUT
    push(source, target)
    assert read_about(FolderStore(target)) == ABOUT and "# kid-size" in (target / "README.md").read_text()
    (source / "_versions/about.json").write_text("{")
    assert read_about(store) == About()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what mlcroissant stands on
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("image_format", ["png", "jpg"])
def test_croissants_own_reader_gets_rows_images_and_labels(
    tmp_path: Path, publish: Callable, palette: dict, image_format: str
) -> None:
    records = publish(tmp_path, "a", "b", image_format=image_format)
    write_about(FolderStore(tmp_path), ABOUT)
    describe_dataset(tmp_path)
    dataset = mlcroissant.Dataset(jsonld=str(tmp_path / "croissant.json"))
    assert (dataset.metadata.name, dataset.metadata.license) == ("kid-size", ["CC-BY-4.0"])
    assert not dataset.metadata.ctx.issues.errors and not dataset.metadata.ctx.issues.warnings
    images = {row["images/sample_id"].decode(): row for row in dataset.records("images")}
    labels = {row["labels/sample_id"].decode(): row for row in dataset.records("labels")}
    assert images.keys() == labels.keys() == {record.sample_id for record in records}
    for record in Manifest.open(tmp_path).records:
        image = images[record.sample_id]
        assert image["images/split"].decode() == record.split and image["images/width"] == record.width
        assert list(image["images/class_pixel_counts"]) == list(record.class_pixel_counts)
        pixels = decode_image((tmp_path / record.image_file_name).read_bytes())
        assert np.abs(np.array(image["images/image"]).astype(int) - pixels).max() <= 3  # JPEG decoders differ
        label_map = decode_label((tmp_path / record.label_file_name).read_bytes())
        colors = np.array([entry["color"] for entry in palette["classes"]])  # which the reader shows
        assert (np.array(labels[record.sample_id]["labels/label"]) == colors[label_map]).all()
