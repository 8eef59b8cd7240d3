"""Exports are whole or refused, the same bytes each time, and never many samples in memory."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flows.commands_export import FormatName, SplitName
from manifests.exports.classes import ExportClass, ExportError
from manifests.exports.cyclegan import CycleGan
from manifests.exports.export import export
from manifests.exports.formats import FORMATS
from manifests.exports.pictures import palette_png
from manifests.exports.sample import FormatKind
from manifests.manifest import Manifest
from manifests.push import push
from manifests.schema import SPLITS

COLORS = np.zeros((256, 3), np.uint8)


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_same_dataset_gives_the_same_bytes(published, tmp_path: Path, format_name: str) -> None:
    manifest, steps = published["png"].manifest, []
    export(manifest, tmp_path / "a", format_name, progress=lambda *step: steps.append(step))
    export(manifest, tmp_path / "b", format_name, num_workers=1)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert steps[-1] == (4, 4) and [done for done, _ in steps] == sorted({done for done, _ in steps})


def test_the_command_knows_every_format_and_split() -> None:
    assert [entry.value for entry in FormatName] == list(FORMATS)
    assert [entry.value for entry in SplitName] == list(SPLITS)


def test_rejected_rows_are_exported_on_demand_and_counted_otherwise(published, tmp_path: Path) -> None:
    report = export(published["png"].manifest, tmp_path / "all", "cyclegan", accepted_only=False)
    assert report["images_per_split"] == {"train": 3, "val": 1, "test": 1} and report["skipped"] == {}
    report = export(published["png"].manifest, tmp_path / "accepted", "cyclegan")
    assert (report["images"], report["skipped"]) == (4, {"rejected by the quality gates": 1})


@pytest.mark.parametrize("format_name", ["coco", "huggingface"])
def test_an_object_store_is_exported_like_a_folder(
    published, bucket: str, tmp_path: Path, format_name: str
) -> None:
    push(published["png"].manifest.store, bucket + "/dataset")
    export(Manifest.open(bucket + "/dataset"), tmp_path / "objects", format_name)
    export(published["png"].manifest, tmp_path / "folder", format_name)
    assert files(tmp_path / "objects") == files(tmp_path / "folder")


def test_images_are_copies_unless_links_are_asked_for(published, tmp_path: Path) -> None:
    manifest = published["png"].manifest
    copied = export(manifest, tmp_path / "copied", "yolo")
    linked = export(manifest, tmp_path / "linked", "yolo", link_images=True)
    assert (copied["image_files"], linked["image_files"]) == ({"copied": 4}, {"linked": 4})
    record = published["png"].records[0]
    source = manifest.store.root / record.image_file_name
    name = f"images/{record.split}/{source.name}"
    assert not source.samefile(tmp_path / "copied" / name) and source.samefile(tmp_path / "linked" / name)
    found, wanted = files(tmp_path / "linked"), files(tmp_path / "copied")
    assert found.pop("export.json") != wanted.pop("export.json")
    assert found == wanted


def test_where_links_are_impossible_images_are_copied(
    published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(source: Path, path: Path) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr("manifests.exports.sample.os.link", link)
    report = export(published["png"].manifest, tmp_path / "out", "cyclegan", link_images=True)
    assert report["image_files"] == {"copied": 4}


def test_nothing_to_export_is_refused(published, tmp_path: Path) -> None:
    manifest = published["png"].manifest
    empty = Manifest(manifest.store, manifest.version, manifest.table.slice(0, 0))
    with pytest.raises(ExportError, match="has no accepted row in train, val, test"):
        export(empty, tmp_path / "out", "coco")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("format_name", "options", "sentence"),
    [
        (
            "voc",
            {"min_area": 2},
            "--min-area changes nothing in voc; it is for coco, coco-panoptic, yolo, cityscapes",
        ),
        (
            "coco",
            {"shard_rows": 2},
            "--shard-rows changes nothing in coco; it is for webdataset, huggingface",
        ),
        ("huggingface", {"link_images": True}, "--link changes nothing in huggingface; it is for coco"),
        ("coco", {"classes": {"goal": ExportClass()}}, "There is no class 'goal'"),
    ],
)
def test_options_that_cannot_be_followed_are_refused(
    published, tmp_path: Path, format_name: str, options: dict, sentence: str
) -> None:
    with pytest.raises(ExportError, match=sentence):
        export(published["png"].manifest, tmp_path / "out", format_name, **options)
    assert not (tmp_path / "out").exists()


def test_an_export_into_or_around_the_dataset_is_refused(root: Path) -> None:
    for folder in (root, root / "exports/coco", root.parent):
        with pytest.raises(ExportError, match="overlaps the dataset .*; choose a folder beside it"):
            export(Manifest.open(root), folder, "coco", overwrite=True)


@pytest.mark.parametrize("kind", ["image", "label"])
def test_a_missing_file_is_named_with_its_row(root: Path, tmp_path: Path, kind: str) -> None:
    record = Manifest.open(root).records[0]
    (root / getattr(record, f"{kind}_file_name")).unlink()
    with pytest.raises(ExportError, match=rf"Sample '{record.sample_id}' cannot be exported: .*No such file"):
        export(Manifest.open(root), tmp_path / "out", "coco")
    assert not (tmp_path / "out/export.json").exists()


@pytest.mark.parametrize(
    ("label", "sentence"),
    [
        (b"no label", "it is damaged or no PNG"),
        (palette_png(np.zeros((5, 7), np.uint8), COLORS), "its label has 7x5 px"),
        (
            palette_png(np.full((32, 48), 9, np.uint8), COLORS),
            "its label holds the class id 9, and the palette ends at 4",
        ),
    ],
)
def test_a_label_that_is_not_what_its_row_says_is_refused(
    root: Path, tmp_path: Path, label: bytes, sentence: str
) -> None:
    record = Manifest.open(root).records[0]
    (root / record.label_file_name).write_bytes(label)
    with pytest.raises(ExportError, match=rf"'{record.sample_id}' cannot be exported: {sentence}"):
        export(Manifest.open(root), tmp_path / "out", "webdataset")
    (root / record.label_file_name).write_bytes(palette_png(np.zeros((32, 48), np.uint8), COLORS))
    assert export(Manifest.open(root), tmp_path / "out", "webdataset")["images"] == 4


def test_few_samples_are_in_memory_at_a_time(
    make_dataset: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, held, most = threading.Lock(), 0, 0

    class Counting(CycleGan):
        def prepare(self, sample) -> None:
            nonlocal held, most
            with lock:
                held += 1
                most = max(most, held)

        def finish(self, prepared, facts) -> None:
            nonlocal held
            for _ in prepared:
                with lock:
                    held -= 1

    monkeypatch.setitem(FORMATS, "counting", FormatKind(Counting))
    manifest = Manifest.open(make_dataset("png"))
    table = manifest.table.take([0] * 500)
    report = export(
        Manifest(manifest.store, manifest.version, table), tmp_path / "out", "counting", num_workers=2
    )
    assert report["images"] == 500 and most <= 4 * 2 + 1
