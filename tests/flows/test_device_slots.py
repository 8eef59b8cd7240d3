"""One run at a time on a device."""

import threading
import time
from pathlib import Path

import pytest
import torch

from flows.device_slots import device_slots, num_slots
from manifests.durable import LockHeldError, exclusive_lock


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def _is_held(folder: Path, name: str) -> bool:
    try:
        with exclusive_lock(folder / f"seg2real-{name}.lock", what="The device"):
            return False
    except LockHeldError:
        return True


def test_two_runs_take_turns_on_the_cpu(folder: Path) -> None:
    inside: list[int] = []

    def compute() -> None:
        with device_slots("cpu") as device:
            assert device == "cpu"
            inside.append(1)
            assert len(inside) == 1
            time.sleep(0.1)
            inside.pop()

    errors: list[BaseException] = []

    def noted() -> None:
        try:
            compute()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=noted) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert not _is_held(folder, "cpu")


@pytest.fixture
def four_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr("gan.device.resolve_device", lambda name: torch.device(name.replace("auto", "cuda")))


@pytest.mark.usefixtures("four_gpus")
def test_a_run_gets_a_gpu_that_is_free(folder: Path) -> None:
    assert num_slots() == {"cpu": 1, "cuda": 4}
    with device_slots("auto") as first, device_slots("auto") as second:
        assert (first, second) == ("cuda:0", "cuda:1")
        with device_slots("cuda:3") as named:
            assert named == "cuda:3" and _is_held(folder, "cuda-3")
            with device_slots("auto") as third:
                assert third == "cuda:2"
    assert not any(_is_held(folder, f"cuda-{index}") for index in range(4))


@pytest.mark.usefixtures("four_gpus")
def test_processes_that_train_together_hold_a_gpu_each(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with device_slots("cuda", 3) as device:
        assert device == "cuda"
        assert [_is_held(folder, f"cuda-{index}") for index in range(4)] == [True, True, True, False]
        with device_slots("cuda") as free:
            assert free == "cuda:3"
