"""Pushing brings another place to the same rows and files, in one version."""

from collections.abc import Callable
from pathlib import Path

import pytest

from manifests.commit import commit
from manifests.manifest import Manifest
from manifests.push import PushError, push
from manifests.schema import to_table
from manifests.storage.objects import ObjectStore
from manifests.verification.verify import verify
from manifests.versions import version_numbers


@pytest.fixture(params=["folder", "objects"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "target")
    return request.getfixturevalue("bucket") + "/target"


def test_a_dataset_is_copied_and_then_what_changes(tmp_path: Path, publish: Callable, target: str) -> None:
    source, steps = tmp_path / "source", []
    records = publish(source, "a", "b")
    done = push(source, target, progress=lambda *step: steps.append(step))
    assert (done.version, done.num_copied, steps) == (1, 4, [(2, 2)])
    assert done.num_bytes == sum(record.image_bytes + record.label_bytes for record in records)
    assert Manifest.open(target).records == records and verify(target, deep=True).is_ok
    assert push(source, target).num_copied == 0

    publish(source, "c")
    commit(source, remove=[records[0].sample_id])
    done = push(source, target, message="c for a")
    assert (done.version, done.num_copied) == (2, 2)
    assert Manifest.open(target).records == Manifest.open(source).records
    assert verify(target, deep=True).is_ok and version_numbers(target) == [1, 2]


def test_a_row_whose_files_changed_is_copied_again(
    tmp_path: Path, write_pair: Callable, palette: dict, target: str
) -> None:
    source = tmp_path / "source"
    first = write_pair(source, "a")
    commit(source, to_table([first], palette=palette))
    push(source, target)
    changed = write_pair(source, "a", width=9)
    commit(source, to_table([changed], palette=palette), remove=[first.sample_id])
    assert push(source, target).num_copied == 2
    assert Manifest.open(target).records == [changed] and verify(target, deep=True).is_ok


def test_a_damaged_file_is_not_passed_on(tmp_path: Path, publish: Callable, target: str) -> None:
    source = tmp_path / "source"
    record = publish(source, "a")[0]
    (source / record.label_file_name).write_bytes(b"other")
    with pytest.raises(PushError, match=f"{record.label_file_name} is not the file that was published"):
        push(source, target)
    assert version_numbers(target) == []


def test_a_push_that_died_is_done_again(
    tmp_path: Path, publish: Callable, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "source", bucket + "/target"
    publish(source, "a", "b")
    with monkeypatch.context() as dying:
        dying.setattr(ObjectStore, "create", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            push(source, target)
    assert version_numbers(target) == []
    assert push(source, target).num_copied == 4 and verify(target, deep=True).is_ok
