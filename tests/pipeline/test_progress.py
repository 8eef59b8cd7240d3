"""Progress that people and logs can read."""

import logging
import sys
from typing import Any

import pytest

from pipeline import progress
from pipeline.progress import show_progress


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def not_a_terminal(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    caplog.set_level(logging.INFO)


def test_a_log_gets_a_line_every_half_minute_and_one_at_the_end(clock: Clock, caplog: Any) -> None:
    with show_progress("generate", "images") as tell:
        tell(0, 1000)
        for done in range(1, 101):
            clock.seconds += 1
            tell(done, 1000)
    assert caplog.messages == [
        "generate: 30/1000 images, 1.0/s, 16:10 left",
        "generate: 60/1000 images, 1.0/s, 15:40 left",
        "generate: 90/1000 images, 1.0/s, 15:10 left",
        "generate: 100/1000 images, 1.0/s, 15:00 left",
    ]


def test_what_an_earlier_run_did_counts_for_the_total_and_not_for_the_rate(clock: Clock, caplog: Any) -> None:
    with show_progress("train", "images") as tell:
        tell(900, 1000)
        clock.seconds += 10
        tell(920, 1000, "G 0.5")
    assert caplog.messages == ["train: 920/1000 images, 2.0/s, 0:40 left, G 0.5"]


def test_hours_are_hours(clock: Clock, caplog: Any) -> None:
    with show_progress("train", "images") as tell:
        tell(0, 7201)
        clock.seconds += 1
        tell(1, 7201)
    assert caplog.messages[0].endswith("1.0/s, 2:00:00 left")


def test_work_that_never_began_says_nothing(clock: Clock, caplog: Any) -> None:
    with show_progress("train", "images"):
        pass
    assert caplog.messages == []


def test_it_has_its_last_word_when_the_work_fails(clock: Clock, caplog: Any) -> None:
    with pytest.raises(RuntimeError), show_progress("train", "images") as tell:
        tell(3, 10)
        raise RuntimeError
    assert caplog.messages == ["train: 3/10 images, 0.0/s"]


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: Any, caplog: Any) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with show_progress("generate", "images") as tell:
        tell(4, 8)
        tell(8, 8, "all is well")
    shown = capsys.readouterr().err
    assert "generate" in shown and "8/8" in shown and "all is well" in shown
    assert caplog.messages == []
