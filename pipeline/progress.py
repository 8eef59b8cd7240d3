"""Progress that people and logs can both read: a bar on a terminal, a line every half minute elsewhere."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tqdm import tqdm

__all__ = ["Progress", "ShowProgress", "show_progress"]

logger = logging.getLogger(__name__)

LINE_EVERY_SECONDS = 30

Progress = Callable[..., None]
"""progress(done, total, note=""): so many are done; the first call tells what an earlier run did."""
ShowProgress = Callable[[str, str], AbstractContextManager[Progress]]
"""show(what, unit), as `show_progress`."""


@contextmanager
def show_progress(what: str, unit: str) -> Iterator[Progress]:
    """Show how far some work is, at which rate, and how long it will take.

    Args:
        what: the work in a word or two, such as "generate".
        unit: what is counted, such as "images".
    """
    shown = _Bar(what, unit) if sys.stderr.isatty() else _Lines(what, unit)
    try:
        yield shown.progress
    finally:
        shown.close()


class _Bar:
    def __init__(self, what: str, unit: str):
        self._make = lambda total, initial: tqdm(
            total=total, initial=initial, desc=what, unit=f" {unit}", dynamic_ncols=True
        )
        self._bar: tqdm | None = None

    def progress(self, done: int, total: int, note: str = "") -> None:
        if self._bar is None:
            self._bar = self._make(total, done)
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class _Lines:
    def __init__(self, what: str, unit: str):
        self._what, self._unit = what, unit
        self._found: int | None = None
        self._done = self._total = 0
        self._note = ""
        self._start = self._last_said = 0.0

    def progress(self, done: int, total: int, note: str = "") -> None:
        if self._found is None:
            self._found = done
            self._start = self._last_said = time.monotonic()
        self._done, self._total, self._note = done, total, note
        if time.monotonic() - self._last_said >= LINE_EVERY_SECONDS:
            self._say()

    def close(self) -> None:
        if self._found is not None:
            self._say()

    def _say(self) -> None:
        self._last_said = time.monotonic()
        rate = (self._done - self._found) / max(self._last_said - self._start, 1e-9)
        parts = [f"{self._what}: {self._done}/{self._total} {self._unit}, {rate:.1f}/s"]
        if rate > 0 and self._done < self._total:
            parts.append(f"{_duration((self._total - self._done) / rate)} left")
        logger.info("%s", ", ".join([*parts, self._note] if self._note else parts))


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
