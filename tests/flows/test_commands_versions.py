"""versions, rollback, remove, gc and push, on a small published dataset."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from manifests.commit import commit
from manifests.reader import read_records
from manifests.schema import SCHEMA, SampleRecord, to_table
from manifests.storage.folder import FolderStore
from manifests.versions import version_numbers

PALETTE = {"name": "pitch", "classes": [{"name": "field", "color": [0, 255, 0]}]}


def row(name: str) -> SampleRecord:
    numbers = dict.fromkeys(("width", "height", "image_bytes", "label_bytes", "seed", "variant"), 1)
    values = {field.name: "x" for field in SCHEMA} | numbers
    files = {"image_file_name": f"images/0000/{name}.png", "label_file_name": f"labels/0000/{name}.png"}
    own = {"sample_id": name, "source_label": f"segTrain/{name}.png", "class_pixel_counts": (1,)}
    return SampleRecord(**values | files | own | {"mask_coverage": 1.0, "accepted": True, "split": "train"})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two versions: "left" and "right", then "middle" as well."""
    root = tmp_path / "dataset"
    commit(root, to_table([row("left"), row("right")], palette=PALETTE), message="two sides")
    commit(root, to_table([row("middle")], palette=PALETTE), message="between them")
    return root


def test_versions_are_listed(seg2real: Callable, root: Path) -> None:
    said = seg2real("versions", root)
    lines = [line.split() for line in said.out.splitlines()]
    assert said.code == 0
    assert [(line[0], line[3], line[5:7], line[7:]) for line in lines] == [
        ("1", "2", ["+2", "-0"], ["two", "sides"]),
        ("2", "3", ["+1", "-0"], ["between", "them"]),
    ]


def test_an_older_version_comes_back(seg2real: Callable, root: Path) -> None:
    said = seg2real("rollback", root, 1, "--message", "no middle")
    assert (said.code, "version 3 has the rows of version 1" in said.out) == (0, True)
    assert [record.sample_id for record in read_records(root)] == ["left", "right"]
    assert "no middle" in seg2real("versions", root).out
    said = seg2real("rollback", root, 9)
    assert (said.code, "has no version 9; it has [1, 2, 3]" in said.err) == (1, True)


def test_withdrawn_labels_leave(seg2real: Callable, root: Path) -> None:
    said = seg2real("remove", root, "segTrain/[lm]*.png", "--dry-run")
    assert (said.code, "segTrain/[lm]*.png: 2 rows" in said.out) == (0, True)
    assert version_numbers(root) == [1, 2]
    said = seg2real("remove", root, "segTrain/[lm]*.png")
    assert (said.code, "version 3 is without these 2 rows" in said.out) == (0, True)
    assert [record.sample_id for record in read_records(root)] == ["right"]
    said = seg2real("remove", root, "right.png")
    assert (said.code, "No row of" in said.err) == (2, True)


def test_garbage_goes(seg2real: Callable, root: Path) -> None:
    (root / "images/0000").mkdir(parents=True)
    (root / "images/0000/left-over.png").write_bytes(b"12345")
    assert "0 versions and 0 files" in seg2real("gc", root, "--keep-versions", 1).out
    said = seg2real("gc", root, "--keep-versions", 1, "--grace-days", 0, "--dry-run")
    assert "1 versions and 3 files" in said.out and "would go" in said.out
    said = seg2real("gc", root, "--keep-versions", 1, "--grace-days", 0)
    assert (said.code, "1 versions and 3 files" in said.out, "are gone" in said.out) == (0, True, True)
    assert version_numbers(root) == [2] and not (root / "images/0000/left-over.png").exists()


def test_a_dataset_is_pushed(seg2real: Callable, tmp_path: Path) -> None:
    source, target, digest = tmp_path / "source", tmp_path / "target", hashlib.sha256(b"1").hexdigest()
    record = replace(row("only"), image_sha256=digest, label_sha256=digest)
    for name in (record.image_file_name, record.label_file_name):
        FolderStore(source).replace(name, b"1")
    commit(source, to_table([record], palette=PALETTE))
    said = seg2real("push", source, target)
    assert (said.code, "version 1, 2 files of 0.0 MB copied" in said.out) == (0, True)
    assert read_records(target) == [record]
    (source / record.image_file_name).write_bytes(b"2")
    said = seg2real("push", source, tmp_path / "other")
    assert (said.code, "is not the file that was published" in said.err) == (1, True)


def test_each_command_needs_a_dataset(seg2real: Callable, tmp_path: Path) -> None:
    for command in (["versions"], ["rollback"], ["remove"], ["gc"], ["push"]):
        rest = {"rollback": [1], "remove": ["a.png"], "push": [tmp_path / "target"]}.get(command[0], [])
        said = seg2real(*command, tmp_path, *rest)
        assert (said.code, "is no dataset: it has no metadata.parquet" in said.err) == (2, True)
    said = seg2real("versions", "gs://bucket/a")
    assert (said.code, "not gs://" in said.err) == (2, True)
