"""A camera as frames, in real time, on a screen where there is one."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import repeat

import cv2
import numpy as np

from pipeline.translation.settings import TranslationError
from pipeline.translation.video import open_capture, plausible_fps

__all__ = ["Camera", "has_display", "in_real_time", "on_screen"]

Clock = Callable[[], float]
WINDOW = "seg2real (q ends it)"
END_KEYS = (ord("q"), 27)
"""q and Escape."""


class Camera:
    """A camera that is open.

    Args:
        number: as the system counts cameras, from 0.

    Raises:
        TranslationError: there is no such camera, or another program holds it.
    """

    def __init__(self, number: int):
        self._capture = open_capture(number)
        if self._capture is None:
            raise TranslationError(
                f"Camera {number} cannot be opened; check that it is there and no other program uses it, or "
                "name another by --camera."
            )
        self.name = f"camera-{number}"
        self.fps = plausible_fps(self._capture)

    def frames(
        self, seconds: float | None, should_stop: Callable[[], bool], clock: Clock = time.monotonic
    ) -> Iterator[np.ndarray]:
        """uint8 [H, W, 3] RGB, until the seconds are over, it should stop, or the camera is gone."""
        start = clock()
        try:
            while not should_stop() and (seconds is None or clock() - start < seconds):
                is_there, frame = self._capture.read()
                if not is_there:
                    return
                yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        finally:
            self._capture.release()


def in_real_time(
    moments: Iterator[tuple[np.ndarray, ...]], fps: float, clock: Clock = time.monotonic
) -> Iterator[tuple[np.ndarray, ...]]:
    """Repeat or drop moments, so that a video of `fps` is as long as what it shows took."""
    start: float | None = None
    num_shown = 0
    for moment in moments:
        start = clock() if start is None else start
        num_due = int((clock() - start) * fps) + 1 - num_shown
        num_shown += max(0, num_due)
        yield from repeat(moment, max(0, num_due))


def on_screen(moments: Iterator[tuple[np.ndarray, ...]]) -> Iterator[tuple[np.ndarray, ...]]:
    """Show the first variant of each moment in a window, until it is closed or q or Escape is pressed."""
    try:
        for moment in moments:
            cv2.imshow(WINDOW, cv2.cvtColor(moment[0], cv2.COLOR_RGB2BGR))
            yield moment
            if cv2.waitKey(1) & 0xFF in END_KEYS or cv2.getWindowProperty(WINDOW, cv2.WND_PROP_VISIBLE) < 1:
                return
    finally:
        cv2.destroyAllWindows()


def has_display() -> bool:
    """Whether a window can be shown."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
