"""Threads that fill batches ahead of whoever uses them, in order, and never more than a few."""

import threading
from collections import deque
from collections.abc import Iterator

import numpy as np

from manifests.loaders.batch_memory import Batch, BatchMemory
from manifests.loaders.selection import Row, Selection

__all__ = ["read_ahead"]

_MOST_TAKEN = 8


def read_ahead(
    selection: Selection, plan: list[np.ndarray], *, num_threads: int, num_ahead: int, memory: BatchMemory
) -> Iterator[Batch]:
    """The batches of a plan, in its order, whatever the number of threads.

    Args:
        selection: what is read.
        plan: the samples of each batch, which are of one size.
        num_threads: how many threads read and decode.
        num_ahead: how many batches may be under way or wait, beside the one that the caller has.
        memory: gives the batches out.

    Raises:
        UndecodableError: a file is damaged, or not what its row says; it comes in its batch's turn. So do
            the other errors of `Selection.read`.
    """
    work = _Work(selection, plan, num_threads, num_ahead, memory)
    # Daemons: a script that ends in the middle of an epoch is not held up by them.
    threads = [
        threading.Thread(target=work.run, name=f"batches-{number}", daemon=True)
        for number in range(min(num_threads, sum(len(indices) for indices in plan)))
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in plan:
            yield work.next_batch()
    finally:
        work.stop()
        # What collects a forgotten iterator may be one of the threads themselves.
        if threading.current_thread() not in threads:
            for thread in threads:
                thread.join()


class _Filling:
    """A batch that threads are filling."""

    def __init__(self, batch: Batch, rows: list[Row]):
        self.batch = batch
        self.rows = rows
        self.num_done = 0
        self.errors: dict[int, Exception] = {}
        self._num_taken = 0

    @property
    def is_done(self) -> bool:
        return self.num_done == len(self.rows)

    def take(self, num_threads: int) -> range:
        """The next samples for a thread: few enough that all threads have a part in the batch."""
        num = max(1, min(_MOST_TAKEN, len(self.rows) // (2 * num_threads)))
        taken = range(self._num_taken, min(self._num_taken + num, len(self.rows)))
        self._num_taken = taken.stop
        return taken


class _Work:
    """What threads and caller share: the batches under way, in order, and how far each is.

    A thread takes a few samples at a time, of the first batch that has some left, so that a batch is done as
    soon as possible and few are under way.
    """

    def __init__(
        self,
        selection: Selection,
        plan: list[np.ndarray],
        num_threads: int,
        num_ahead: int,
        memory: BatchMemory,
    ) -> None:
        self._selection = selection
        self._plan = iter(plan)
        self._num_threads = num_threads
        self._num_ahead = num_ahead
        self._memory = memory
        self._changed = threading.Condition()
        self._under_way: deque[_Filling] = deque()
        self._is_over = False
        self._failure: BaseException | None = None

    def run(self) -> None:
        """What each thread does: take samples, fill them in, until nothing is left."""
        try:
            while (taken := self._take()) is not None:
                self._fill(*taken)
                del taken  # a thread that waits holds no memory
        except BaseException as error:  # such as no memory for a batch; the caller must not wait for ever
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def next_batch(self) -> Batch:
        """The next batch, as soon as it is full; raises what went wrong with its first bad sample."""
        with self._changed:
            while not (self._under_way and self._under_way[0].is_done):
                if self._failure is not None:
                    raise self._failure
                self._changed.wait()
            filled = self._under_way.popleft()
            self._changed.notify_all()
        if filled.errors:
            raise filled.errors[min(filled.errors)]
        return filled.batch

    def stop(self) -> None:
        """Let the threads end after the samples that they are at."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def _take(self) -> tuple[_Filling, range] | None:
        """Samples to fill in: their batch and places there; waits for room. None = there will be none."""
        with self._changed:
            while not self._is_over:
                for filling in self._under_way:
                    places = filling.take(self._num_threads)
                    if places:
                        return filling, places
                if len(self._under_way) >= self._num_ahead:
                    self._changed.wait()
                elif (indices := next(self._plan, None)) is None:
                    return None
                else:
                    self._under_way.append(self._filling(indices))
            return None

    def _filling(self, indices: np.ndarray) -> _Filling:
        rows = self._selection.rows(indices)
        return _Filling(self._memory.batch(indices, *rows[0].size), rows)

    def _fill(self, filling: _Filling, places: range) -> None:
        (images, masks, _), rows = filling.batch, filling.rows
        contents: dict[int, tuple[bytes, bytes]] = {}

        def load(place: int) -> None:
            contents[place] = self._selection.load(rows[place])

        def decode_image(place: int) -> None:
            self._selection.decode_image_into(rows[place], contents[place][0], images[place])

        def decode_mask(place: int) -> None:
            self._selection.decode_mask_into(rows[place], contents[place][1], masks[place])

        # Like with like: the processor's caches hold the code of one step, not of all.
        for step in (load, decode_image, decode_mask):
            for place in places:
                if place not in filling.errors:
                    try:
                        step(place)
                    except Exception as error:  # the caller gets it, in its turn
                        filling.errors[place] = error
        with self._changed:
            filling.num_done += len(places)
            if filling.is_done:
                self._changed.notify_all()
