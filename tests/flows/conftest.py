"""A tiny run, the command line, and Prefect's server for tests."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from flows.cli import main
from flows.prefect_settings import PACKAGES, set_defaults

set_defaults()  # before any test imports Prefect

ROOT = Path(__file__).parent.parent.parent

TINY = {
    "name": "tiny",
    "palette": str(ROOT / "configs" / "palettes" / "nubots.yaml"),
    "run_dir": "run",
    "output": "output",
    "scenes": {
        "num": 5,
        "num_photos": 4,
        "pitch": "robocup-spl",
        "width": 48,
        "height": 32,
        "num_robots": [0, 2],
        "num_people": [0, 0],
    },
    "train": {
        "width": 24,
        "height": 16,
        "batch_size": 2,
        "total_images": 4,
        "generator": {"width": 4, "num_blocks": 1},
        "discriminator": {"width": 4, "num_layers": 1},
        "report_every_images": 2,
        "preview_every_images": 2,
        "snapshot_every_images": 4,
        "checkpoint_every_images": 4,
        "num_preview": 2,
        "device": "cpu",
        "precision": "fp32",
    },
    "generate": {"shard_labels": 3, "num_workers": 1},
}


@pytest.fixture(scope="session")
def write_config() -> Callable[..., Path]:
    """write_config(folder, train={"width": 32}) -> a YAML file: the tiny run with changed settings."""

    def write(folder: Path, **changes: object) -> Path:
        values = {key: dict(value) if isinstance(value, dict) else value for key, value in TINY.items()}
        for key, change in changes.items():
            values[key] = {**values[key], **change} if isinstance(change, dict) else change
        path = folder / "tiny.yaml"
        path.write_text(yaml.safe_dump(values))
        return path

    return write


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """Tiny networks are slower on more threads, by far where other work runs beside them."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def prefect_server(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A server with a database of its own; started once, as it takes ten seconds."""
    from prefect.settings import PREFECT_HOME, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    home = {PREFECT_HOME: tmp_path_factory.mktemp("prefect")}
    with temporary_settings(updates=home), prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def quiet_packages() -> Iterator[None]:
    """Give back the levels that a command sets for our loggers."""
    before = {name: logging.getLogger(name).level for name in PACKAGES}
    for name in PACKAGES:
        logging.getLogger(name).setLevel(logging.NOTSET)
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def keep_signal_handlers() -> Iterator[None]:
    """Give back what a command sets for SIGTERM."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


class Said(NamedTuple):
    """How a command ended."""

    code: int
    """Exit code."""
    out: str
    """What it printed."""
    err: str
    """What it printed to stderr."""


@pytest.fixture
def seg2real(
    keep_signal_handlers: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """Call the command line in this process."""

    def call(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["seg2real", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        return Said(left.value.code or 0, *capsys.readouterr())

    return call


@pytest.fixture
def environment() -> dict[str, str]:
    """For a process of its own, anywhere: it finds the project, and computes on one thread."""
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
