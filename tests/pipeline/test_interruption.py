"""Signals become an answer to a question; the second one acts as usual."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from pipeline.interruption import Interrupted, watch_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_remembered(number: signal.Signals, caplog: pytest.LogCaptureFixture) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with watch_signals() as received:
        assert received() is None
        os.kill(os.getpid(), number)
        assert received() == number
        assert caplog.messages == [f"{number.name} received: saving a checkpoint."]
    assert received() == number
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.fixture
def usual_handler() -> Iterator[None]:
    """Python's own for Ctrl-C, which a shell has ignored of what it starts in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("usual_handler")
def test_the_second_one_acts_as_usual() -> None:
    with pytest.raises(KeyboardInterrupt), watch_signals() as received:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
    assert received() == signal.SIGTERM


def test_handlers_come_back_when_the_work_fails() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ZeroDivisionError), watch_signals():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGTERM) is before


def test_in_another_thread_nothing_is_watched() -> None:
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work() -> None:
        with watch_signals() as received:
            seen.append((signal.getsignal(signal.SIGTERM), received()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(before, None)]


def test_an_interruption_names_its_signal() -> None:
    error = Interrupted("stopped", signal.SIGTERM)
    assert (str(error), error.signal_number) == ("stopped", 15)
