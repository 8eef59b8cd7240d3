"""Whole calls: files of every kind, bad ones among them, and a camera that a signal ends."""

import hashlib
import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.images import read_image, read_label
from pipeline.palette import Palette, colorize
from pipeline.prepare import TooManyBadInputs
from pipeline.translation import camera as camera_module
from pipeline.translation import translate as translate_module
from pipeline.translation.camera import Camera
from pipeline.translation.drawing import Drawing
from pipeline.translation.jobs import plan_jobs
from pipeline.translation.settings import TranslationError, TranslationSettings
from pipeline.translation.translate import Translated, require_enough, translate_camera, translate_files
from pipeline.translation.video import VideoFile

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def run(snapshot: Callable) -> Callable[..., Translated]:
    def run(source: Path, out: Path, **changes: object) -> Translated:
        settings = TranslationSettings(**{"device": "cpu", "precision": "fp32"} | changes)
        return translate_files(Drawing(snapshot(), settings), plan_jobs(source, out, settings), settings)

    return run


@pytest.fixture
def segmentation_frames(palette: Palette, label_map: Callable) -> Callable[..., list[np.ndarray]]:
    def make(num: int, height: int = 24, width: int = 32) -> list[np.ndarray]:
        return [colorize(label_map(number, height, width), palette) for number in range(num)]

    return make


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_folder_with_images_videos_and_faults(
    run: Callable,
    write_label: Callable,
    write_video: Callable,
    segmentation_frames: Callable,
    tmp_path: Path,
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    write_label(source / "a.png", 17, 23)
    write_label(source / "x" / "b.png", 5, 40, 1)
    write_video(source / "x" / "film.avi", segmentation_frames(3, 25, 33))
    (source / "bad.png").write_bytes(b"no image")
    (source / "bad.mp4").write_bytes(b"no video")
    before = hashes(source)
    result = run(source, out)
    assert [error.path.name for error in result.bad] == ["bad.mp4", "bad.png"]
    assert sorted(hashes(out)) == ["a.png", "x/b.png", "x/film.mp4"]
    assert sorted(result.written) == [out / "a.png", out / "x" / "b.png", out / "x" / "film.mp4"]
    assert read_image(out / "a.png").shape == (17, 23, 3)
    film = VideoFile(out / "x" / "film.mp4")
    assert (film.num_frames, film.fps) == (3, 12.5)
    assert hashes(source) == before
    # Again, over what is there: the same bytes.
    first = hashes(out)
    run(source, out)
    assert hashes(out) == first


def test_photographs_become_labels(
    run: Callable, write_photo: Callable, palette: Palette, tmp_path: Path
) -> None:
    source = tmp_path / "in"
    for number in range(3):
        write_photo(source / f"{number}.jpg", 16 + number, 24, number)
    result = run(source, tmp_path / "out", direction="ba")
    assert not result.bad
    shapes = [read_label(path, palette).shape for path in result.written]
    assert shapes == [(16, 24), (17, 24), (18, 24)]


def test_a_still_video_does_not_flicker(
    run: Callable, write_video: Callable, segmentation_frames: Callable, tmp_path: Path
) -> None:
    """What is left between its frames is the compression's."""
    path = write_video(tmp_path / "still.avi", segmentation_frames(1) * 4)
    (output,) = run(path, tmp_path / "out.mp4").written
    frames = [frame.astype(int) for frame in VideoFile(output).frames()]
    assert len(frames) == 4
    assert max(np.abs(frame - frames[0]).mean() for frame in frames) < 3


def test_variants_of_a_video_are_videos(
    run: Callable, write_video: Callable, segmentation_frames: Callable, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "film.avi", segmentation_frames(2))
    result = run(path, tmp_path / "out", variants=2)
    assert [output.name for output in result.written] == ["film-v0.mp4", "film-v1.mp4"]
    assert [VideoFile(output).num_frames for output in result.written] == [2, 2]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_seconds_limit_a_video(
    run: Callable, write_video: Callable, segmentation_frames: Callable, tmp_path: Path, caplog
) -> None:
    path = write_video(tmp_path / "film.avi", segmentation_frames(6), fps=10)
    (output,) = run(path, tmp_path / "out.mp4", seconds=0.4).written
    assert VideoFile(output).num_frames == 4
    assert warnings(caplog) == []


def test_a_video_that_is_cut_off_is_translated_as_far_as_it_goes(
    run: Callable, cut_video: Callable, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = cut_video(tmp_path / "film.avi")
    (output,) = run(path, tmp_path / "out.mp4", direction="ba").written
    num = VideoFile(output).num_frames
    assert 0 < num < 7
    assert warnings(caplog) == [f"{path} ends after {num} of its 8 frames; these are translated."]


def test_an_interruption_leaves_whole_files_only(
    run: Callable, write_label: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        write_label(tmp_path / "in" / f"{name}.png")
    image_file = Drawing.image_file

    def interrupted(self: Drawing, path: Path, outputs: tuple[Path, ...]) -> Iterator[tuple[Path, bytes]]:
        if path.name == "b.png":
            raise KeyboardInterrupt
        yield from image_file(self, path, outputs)

    monkeypatch.setattr(Drawing, "image_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "in", tmp_path / "out")
    assert list(hashes(tmp_path / "out")) == ["a.png"]


def test_progress_counts_images_and_frames(
    snapshot: Callable,
    write_label: Callable,
    write_video: Callable,
    segmentation_frames: Callable,
    tmp_path: Path,
) -> None:
    write_label(tmp_path / "in" / "b.png")
    write_video(tmp_path / "in" / "a.avi", segmentation_frames(3))
    told: list[tuple[int, int]] = []

    class Show:
        def __init__(self, what: str, unit: str):
            assert (what, unit) == ("translate", "frames")

        def __enter__(self) -> Callable[[int, int], None]:
            return lambda done, total: told.append((done, total))

        def __exit__(self, *_: object) -> None:
            pass

    settings = TranslationSettings(device="cpu")
    jobs = plan_jobs(tmp_path / "in", tmp_path / "out", settings)
    translate_files(Drawing(snapshot(), settings), jobs, settings, Show)
    assert [done for done, _ in told] == [0, 1, 2, 3, 3, 4]
    assert {total for _, total in told} == {4}


@pytest.mark.parametrize(
    ("num_bad", "num", "is_enough"), [(0, 1, True), (1, 5, True), (2, 5, False), (1, 1, False)]
)
def test_a_fifth_may_be_bad(run: Callable, tmp_path: Path, num_bad: int, num: int, is_enough: bool) -> None:
    (tmp_path / "a.png").touch()
    error = run(tmp_path / "a.png", tmp_path / "out").bad
    result = Translated([], error * num_bad)
    if is_enough:
        require_enough(result, num, 0.2)
    else:
        with pytest.raises(
            TooManyBadInputs, match=rf"{num_bad} of {num} files cannot .* the first is .*a.png: the"
        ):
            require_enough(result, num, 0.2)


@pytest.fixture
def camera(
    tmp_path: Path, write_video: Callable, noise_frames: Callable, monkeypatch: pytest.MonkeyPatch
) -> Camera:
    """A camera that sees six frames, on a machine without a display, whose frames take no time."""
    path = write_video(tmp_path / "seen.avi", noise_frames(6))
    monkeypatch.setattr(camera_module, "open_capture", lambda number: cv2.VideoCapture(str(path)))
    monkeypatch.setattr(translate_module, "has_display", lambda: False)
    monkeypatch.setattr(translate_module, "in_real_time", lambda moments, fps: moments)
    return Camera(0)


def test_a_camera_becomes_a_video(snapshot: Callable, camera: Camera, tmp_path: Path) -> None:
    settings = TranslationSettings(direction="ba", device="cpu")
    num = translate_camera(Drawing(snapshot(), settings), camera, [tmp_path / "live.mp4"], settings)
    assert (num, VideoFile(tmp_path / "live.mp4").num_frames) == (6, 6)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_camera_and_its_video_is_whole(
    snapshot: Callable, camera: Camera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    settings = TranslationSettings(direction="ba", device="cpu")
    frames = Drawing.frames

    def signalled(self: Drawing, *arguments: object) -> Iterator[tuple[np.ndarray, ...]]:
        for count, moment in enumerate(frames(self, *arguments)):
            if count == 2:
                os.kill(os.getpid(), number)
            yield moment

    monkeypatch.setattr(Drawing, "frames", signalled)
    num = translate_camera(Drawing(snapshot(), settings), camera, [tmp_path / "live.mp4"], settings)
    assert (num, VideoFile(tmp_path / "live.mp4").num_frames) == (3, 3)


def test_a_camera_that_sees_nothing_is_a_sentence(snapshot: Callable, camera: Camera, tmp_path: Path) -> None:
    list(camera.frames(None, lambda: False))
    settings = TranslationSettings(direction="ba", device="cpu")
    with pytest.raises(TranslationError, match="camera-0 gave no picture"):
        translate_camera(Drawing(snapshot(), settings), camera, [tmp_path / "live.mp4"], settings)
    assert not (tmp_path / "live.mp4").exists()
