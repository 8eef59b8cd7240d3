"""Every set that lands is told of, however it comes."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.landing_watch import landing_folders, watching
from pipeline.config import RunConfig, load_config

SECONDS = 30
"""On a busy machine; two are usual."""


@pytest.fixture
def config(tmp_path: Path, tiny_file: Callable[..., Path]) -> RunConfig:
    (tmp_path / "incoming").mkdir()
    return load_config(tiny_file(tmp_path, sources={"labels": "incoming"}))


@pytest.fixture
def told(config: RunConfig) -> Iterator[list[tuple[str, list[str]]]]:
    """What has been told of, while the folder is watched."""
    heard: list[tuple[str, list[str]]] = []
    with watching([config], lambda *told: heard.append(told)):
        time.sleep(0.5)  # the watcher begins in a thread
        yield heard


def land(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    (folder / name / "a.png").write_bytes(b"a")
    (folder / name / "_READY").touch()


def wait_for(told: list, names: set[str]) -> None:
    deadline = time.monotonic() + SECONDS
    while {name for _, sets in told for name in sets} != names:
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


def test_sets_that_are_written_at_once_are_all_told_of(config: RunConfig, told: list) -> None:
    [folder] = landing_folders(config)
    for number in range(20):
        land(folder, f"set-{number}")
    wait_for(told, {f"set-{number}" for number in range(20)})
    assert {run for run, _ in told} == {"tiny"}


def test_a_set_that_is_moved_in_is_told_of(config: RunConfig, told: list, tmp_path: Path) -> None:
    [folder] = landing_folders(config)
    land(tmp_path, "night")
    (tmp_path / "night").rename(folder / "night")
    wait_for(told, {"night"})


def test_a_set_is_told_of_when_it_is_whole_again_and_when_it_goes(config: RunConfig, told: list) -> None:
    [folder] = landing_folders(config)
    (folder / "rain").mkdir()
    (folder / "rain" / "a.png").write_bytes(b"a")
    time.sleep(3)
    assert told == []  # it is not whole
    marker = folder / "rain" / "_READY"
    for change in (marker.touch, marker.touch, marker.unlink):
        told.clear()
        change()
        wait_for(told, {"rain"})
