"""Ctrl-C and SIGTERM as a question that long work asks between two steps."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Interrupted", "TrainingProcessDied", "watch_signals"]

logger = logging.getLogger(__name__)


class Interrupted(RuntimeError):
    """The work was asked to stop and has saved what it had; running the same command again goes on from
    there."""

    def __init__(self, message: str, signal_number: int):
        super().__init__(message)
        self.signal_number = signal_number
        """Which signal; a shell expects exit code 128 + this."""


class TrainingProcessDied(RuntimeError):
    """A training process ended without a word; running the same command again goes on from its last
    checkpoint."""


@contextmanager
def watch_signals(answer: str = "saving a checkpoint") -> Iterator[Callable[[], int | None]]:
    """Within it, the first SIGINT or SIGTERM is remembered instead of raised; a second one acts as usual.

    Yields a function that returns the remembered signal's number, or None. Outside the main thread, where
    Python delivers no signals, nothing is ever remembered.

    Args:
        answer: what is done about the signal, for the log.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return

    def remember(number: int, _frame: object) -> None:
        received.append(number)
        logger.warning("%s received: %s.", signal.Signals(number).name, answer)
        for name, handler in before.items():
            signal.signal(name, handler)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number in before:
            signal.signal(number, remember)
        yield lambda: received[0] if received else None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
