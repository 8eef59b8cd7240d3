"""What comes before training: init, validate, doctor, preprocess."""

from collections.abc import Callable
from pathlib import Path

import pytest


def test_from_drawn_scenes_to_a_first_config_that_validates(seg2real: Callable, tmp_path: Path) -> None:
    size = ["--num", "6", "--photos", "5", "--width", "192", "--height", "144"]
    assert seg2real("scenes", tmp_path / "mine", *size).code == 0
    config = tmp_path / "mine.yaml"
    folders = ["--labels", tmp_path / "mine", "--photos", tmp_path / "mine"]
    assert seg2real("init", config, *folders).code == 0
    assert "0 errors, 0 warnings" in seg2real("validate", config).out
    again = seg2real("init", config, *folders)
    assert (again.code, "is not replaced" in again.err) == (2, True)


@pytest.mark.usefixtures("one_thread")
def test_doctor_says_what_is_well_and_what_to_do(
    seg2real: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = seg2real("doctor", "--folder", tmp_path)
    assert said.code == 0
    looked_at = [line.split()[1] for line in said.out.splitlines()]
    assert looked_at == ["Python", "torch", "device", "OpenCV", "space", "files", "Prefect", "server"]
    assert all(line.startswith("ok ") for line in said.out.splitlines())

    monkeypatch.setattr("pipeline.doctor.LEAST_FREE_BYTES", 10**18)
    said = seg2real("doctor", "--folder", tmp_path)
    assert said.code == 1
    assert "FAIL  space" in said.out
    assert "-> make room or choose another folder" in said.out


def test_preprocess_needs_no_photographs(
    seg2real: Callable, tiny_file: Callable[..., Path], tmp_path: Path
) -> None:
    config = tiny_file(tmp_path, scenes={"num": 2, "num_photos": 0})
    said = seg2real("preprocess", config, "--out", tmp_path / "seen")
    assert (said.code, said.err.count("Error")) == (0, 0)
    assert len(list((tmp_path / "seen").rglob("conditioning/*/segTrain/*.png"))) == 2
