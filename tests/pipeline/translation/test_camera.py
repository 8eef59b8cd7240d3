"""A camera in real time; here a video or an array stands for it."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.translation import camera as camera_module
from pipeline.translation.camera import Camera, has_display, in_real_time, on_screen
from pipeline.translation.settings import TranslationError


class Clock:
    """Tells the times that it is given."""

    def __init__(self, times: list[float]):
        self.times = iter(times)

    def __call__(self) -> float:
        return next(self.times)


@pytest.fixture
def camera(
    tmp_path: Path, write_video: Callable, noise_frames: Callable, monkeypatch: pytest.MonkeyPatch
) -> Camera:
    """A camera that sees six frames."""
    path = write_video(tmp_path / "seen.avi", noise_frames(6))
    monkeypatch.setattr(camera_module, "open_capture", lambda number: cv2.VideoCapture(str(path)))
    return Camera(0)


def test_a_camera_sees_until_it_is_gone(camera: Camera, noise_frames: Callable) -> None:
    frames = list(camera.frames(None, lambda: False))
    assert camera.fps == 12.5
    assert all(np.array_equal(got, wanted) for got, wanted in zip(frames, noise_frames(6), strict=True))


def test_a_camera_sees_until_it_is_to_stop(camera: Camera) -> None:
    answers = iter([False, False, True])
    assert len(list(camera.frames(None, lambda: next(answers)))) == 2


def test_a_camera_sees_for_some_seconds(camera: Camera) -> None:
    assert len(list(camera.frames(1.0, lambda: False, Clock([10.0, 10.0, 10.4, 10.9, 11.0])))) == 3


def test_a_camera_that_is_not_there_is_a_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TranslationError, match="Camera 97 cannot be opened; check that it is there"):
        Camera(97)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("times", "shown"),
    [
        ([0, 0, 0.1, 0.2], "abc"),  # in step
        ([0, 0, 0.35, 0.42], "abbbc"),  # translation is slow: moments stay longer
        ([0, 0, 0.02, 0.1], "ac"),  # the camera is fast: moments are dropped
    ],
)
def test_a_video_is_as_long_as_what_it_shows(times: list[float], shown: str) -> None:
    moments = (letter for letter in "abc")
    assert "".join(in_real_time(moments, 10, Clock(times))) == shown


def test_a_key_or_a_closed_window_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[np.ndarray] = []
    monkeypatch.setattr(cv2, "imshow", lambda name, frame: shown.append(frame))
    monkeypatch.setattr(cv2, "waitKey", lambda ms: ord("q") if len(shown) == 3 else -1)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda name, what: 1)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: None)
    moment = (np.full((2, 2, 3), (1, 2, 3), np.uint8),)
    assert len(list(on_screen(iter([moment] * 9)))) == 3
    assert shown[0][0, 0].tolist() == [3, 2, 1]
    shown.clear()
    monkeypatch.setattr(cv2, "getWindowProperty", lambda name, what: 0)
    assert len(list(on_screen(iter([moment] * 9)))) == 1


@pytest.mark.parametrize(
    ("variable", "is_there"), [("DISPLAY", True), ("WAYLAND_DISPLAY", True), (None, False)]
)
def test_a_display_is_known_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, is_there: bool
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, ":0")
    assert has_display() == is_there
