"""A Prefect server for as long as `seg2real up` runs, unless there is one already."""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import httpx

from flows.parameters import UsageError
from flows.prefect_settings import set_defaults
from flows.server_file import note_server, running_server

__all__ = ["Server", "ServerDied", "require_server", "server_running"]

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
START_SECONDS = 180
STOP_SECONDS = 20


class ServerDied(RuntimeError):
    """The server that was started has ended by itself."""


class Server(NamedTuple):
    """A server that runs."""

    url: str
    """Of its API."""
    process: subprocess.Popen | None
    """None where somebody else has started it."""

    def require_alive(self) -> None:
        """Raises ServerDied when the process has ended."""
        if self.process is not None and self.process.poll() is not None:
            raise ServerDied(
                f"The Prefect server has ended with exit code {self.process.returncode}; run seg2real up "
                "again, which finds what has landed."
            )


@contextmanager
def server_running(port: int) -> Iterator[Server]:
    """A server within the block: the one that PREFECT_API_URL names, one that answers on the port already, or
    a new one, which ends with the block. Everything that imports Prefect afterwards uses it.

    Raises:
        UsageError: the one that PREFECT_API_URL names does not answer, one that runs wants another password,
            or something else has the port.
    """
    own = f"http://{HOST}:{port}/api"
    if os.environ.get("PREFECT_API_URL"):
        yield Server(require_server(), None)
        return
    os.environ["PREFECT_API_URL"] = own
    if _answers(own):
        _require_password(own)
        logger.info("A Prefect server runs already: %s", own)
        yield Server(own, None)
        return
    _require_free(port)
    process = _start(port)
    try:
        _await(process, own)
        noted = note_server(own, process.pid)
        try:
            yield Server(own, process)
        finally:
            noted.unlink(missing_ok=True)
    finally:
        _stop(process)


def require_server() -> str:
    """The API URL of the server that runs: the one that PREFECT_API_URL names, or that of `seg2real up`.

    Raises:
        UsageError: there is none, it does not answer, or it wants another password.
    """
    url = os.environ.get("PREFECT_API_URL") or running_server()
    if url is None:
        raise UsageError(
            "No Prefect server is known; start one with prefect server start, and name it by "
            f"PREFECT_API_URL, such as http://{HOST}:4200/api."
        )
    if not _answers(url):
        raise UsageError(f"The Prefect server {url} does not answer; start it, or correct PREFECT_API_URL.")
    _require_password(url)
    os.environ["PREFECT_API_URL"] = url
    return url


def _start(port: int) -> subprocess.Popen:
    logger.info("Starting a Prefect server ...")
    set_defaults()
    # In a session of its own Ctrl-C at the terminal does not reach it: it is stopped last.
    return subprocess.Popen(
        [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=None if logger.isEnabledFor(logging.DEBUG) else subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_hear_interrupts,
    )


def _hear_interrupts() -> None:
    """A shell starts `command &` with SIGINT ignored, which a child inherits; Prefect stops by it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _await(process: subprocess.Popen, url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(url):
        if process.poll() is not None:
            raise UsageError(
                f"The Prefect server ended as it started, with exit code {process.returncode}; "
                "prefect server start shows why."
            )
        if time.monotonic() > deadline:
            raise UsageError(f"The Prefect server has not answered on {url} within {START_SECONDS} s.")
        time.sleep(0.2)


def _stop(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2).is_success
    except httpx.HTTPError:
        return False


def _require_password(url: str) -> None:
    password = os.environ.get("PREFECT_API_AUTH_STRING")
    auth = tuple(password.partition(":")[::2]) if password else None
    if httpx.get(f"{url}/admin/version", auth=auth, timeout=10).status_code == httpx.codes.UNAUTHORIZED:
        raise UsageError(
            f"The Prefect server {url} wants another password; set PREFECT_API_AUTH_STRING to the "
            "user:password that it was started with."
        )


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise UsageError(
                f"Port {port} cannot be used: {error.strerror}; choose another by --port."
            ) from None
