"""Times of several ways to do one thing, taken in turn: a busy machine slows all of them alike."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

__all__ = ["median_ratio", "one_thread", "seconds_in_turn"]


def seconds_in_turn(
    ways: Mapping[str, Callable[[], Any]],
    num_rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds of each way in each round, after a round that does not count.

    Args:
        ways: by name.
        num_rounds: how often each is called.
        clock: what is read before and after; `time.process_time` counts the computing of this process alone.
    """
    for way in ways.values():
        way()
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(num_rounds):
        for name, way in ways.items():
            start = clock()
            way()
            taken[name].append(clock() - start)
    return taken


def median_ratio(seconds: Mapping[str, list[float]], one: str, other: str) -> float:
    """How many times longer `one` took than `other`: the median over rounds, in each of which both met much
    the same machine."""
    return statistics.median(a / b for a, b in zip(seconds[one], seconds[other], strict=True))


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread of OpenCV and, where it is loaded, of torch."""
    import sys

    import cv2

    torch = sys.modules.get("torch")
    before = cv2.getNumThreads(), torch.get_num_threads() if torch else 0
    cv2.setNumThreads(1)
    if torch:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before[0])
        if torch:
            torch.set_num_threads(before[1])
