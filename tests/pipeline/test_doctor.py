"""What the doctor finds on a healthy machine, and that it sees what is wrong."""

from pathlib import Path

import pytest

from manifests.durable import exclusive_lock
from pipeline import doctor
from pipeline.doctor import Check, check_machine


def _check(name: str, folder: Path) -> Check:
    return next(check for check in check_machine(folder) if check.name == name)


def test_a_healthy_machine_passes_and_is_left_as_it_was(tmp_path: Path) -> None:
    checks = list(check_machine(tmp_path / "not" / "there" / "yet"))
    assert [check.name for check in checks] == ["Python", "torch", "device", "OpenCV", "space", "files"]
    assert [check for check in checks if not check.is_ok] == []
    assert list(tmp_path.iterdir()) == []


def test_two_opencv_packages_clash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"opencv-python": "5.0.0", "opencv-python-headless": "4.10.0"}
    monkeypatch.setattr(doctor, "version_of", lambda name: versions.get(name, "missing"))
    check = _check("OpenCV", tmp_path)
    assert not check.is_ok
    assert check.found == "opencv-python 5.0.0, opencv-python-headless 4.10.0"


def test_a_pair_of_torch_and_torchvision_that_does_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown_operator(*_: object) -> None:
        raise RuntimeError("operator torchvision::nms does not exist\nmore")

    monkeypatch.setattr("torchvision.ops.nms", unknown_operator)
    check = _check("torch", tmp_path)
    assert not check.is_ok
    assert check.what_to_do.endswith("(operator torchvision::nms does not exist)")


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 10**18)
    assert not _check("space", tmp_path).is_ok


@pytest.mark.parametrize(
    ("function", "fault", "said"),
    [
        ("write_durable", OSError(30, "Read-only file system"), "Read-only file system"),
        ("create_durable", None, "two writers could create one file"),
    ],
)
def test_a_disk_without_what_publishing_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, fault: OSError | None, said: str
) -> None:
    def faulty(*_: object, **__: object) -> None:
        if fault is not None:
            raise fault

    monkeypatch.setattr(doctor, function, faulty)
    check = _check("files", tmp_path)
    assert (check.is_ok, said in check.found) == (False, True)


def test_a_disk_whose_locks_lock_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter(range(10))
    monkeypatch.setattr(
        doctor, "exclusive_lock", lambda path, what: exclusive_lock(Path(f"{path}{next(numbers)}"), what=what)
    )
    check = _check("files", tmp_path)
    assert (check.is_ok, "two holders could have one lock" in check.found) == (False, True)
