"""The command line, and Prefect's server for tests."""

import logging
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from flows.cli import main
from flows.prefect_settings import PACKAGES, set_defaults

set_defaults()  # before any test imports Prefect

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def prefect_server(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A server with a database of its own; started once, as it takes ten seconds."""
    from prefect.settings import PREFECT_HOME, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    home = {PREFECT_HOME: tmp_path_factory.mktemp("prefect")}
    with temporary_settings(updates=home), prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture(scope="session", autouse=True)
def own_locks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hold no lock of a device that others of this machine wait for, and wait for none of theirs."""
    before, tempfile.tempdir = tempfile.tempdir, str(tmp_path_factory.mktemp("locks"))
    yield
    tempfile.tempdir = before


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
