"""Progress that people and logs can both read: a bar on a terminal, a line every half minute elsewhere."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tqdm import tqdm

__all__ = ["Advance", "ShowProgress", "show_progress"]

logger = logging.getLogger(__name__)

LINE_EVERY_SECONDS = 30

Advance = Callable[..., None]
"""advance(num=1, note=""): so many more are done; the note is shown beside the count."""

ShowProgress = Callable[[str, int, str], AbstractContextManager[Advance]]
"""show(what, total, unit), as `show_progress`."""


@contextmanager
def show_progress(what: str, total: int, unit: str) -> Iterator[Advance]:
    """Count up to `total`, with rate and time left.

    Args:
        what: the work in a word or two, such as "generate".
        total: of units.
        unit: what is counted, such as "images".
    """
    if sys.stderr.isatty():
        with tqdm(total=total, desc=what, unit=f" {unit}", dynamic_ncols=True) as bar:
            yield _bar_advance(bar)
    else:
        lines = _Lines(what, total, unit)
        yield lines.advance
        lines.say()


def _bar_advance(bar: tqdm) -> Advance:
    def advance(num: int = 1, note: str = "") -> None:
        if note:
            bar.set_postfix_str(note, refresh=False)
        bar.update(num)

    return advance


class _Lines:
    def __init__(self, what: str, total: int, unit: str):
        self.what, self.total, self.unit = what, total, unit
        self.done = 0
        self.note = ""
        self.start = self.last_said = time.monotonic()

    def advance(self, num: int = 1, note: str = "") -> None:
        self.done += num
        self.note = note or self.note
        if time.monotonic() - self.last_said >= LINE_EVERY_SECONDS:
            self.say()

    def say(self) -> None:
        self.last_said = time.monotonic()
        seconds = self.last_said - self.start
        rate = self.done / seconds if seconds > 0 else 0.0
        left = (
            f", {_duration((self.total - self.done) / rate)} left"
            if rate > 0 and self.done < self.total
            else ""
        )
        note = f", {self.note}" if self.note else ""
        logger.info("%s: %d/%d %s, %.1f/s%s%s", self.what, self.done, self.total, self.unit, rate, left, note)


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
