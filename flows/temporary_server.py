"""Prefect's temporary server, started so that Ctrl-C ends the run and not the server that records its end."""

import signal

from prefect import get_client

__all__ = ["start_server"]


def start_server() -> None:
    """Start the server of this process's flows, where no other server is set; Prefect stops it at the exit.

    A terminal sends Ctrl-C to all of its processes. Prefect's client would then try for minutes to tell a
    dead server that the run has ended. A blocked signal stays blocked in a child: the server never hears it.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with get_client(sync_client=True):
            pass
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
