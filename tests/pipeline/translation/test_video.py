"""Videos: frames, size and rate survive; what is written is whole or absent; faults are sentences."""

import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.images import BadImageError
from pipeline.translation.video import VideoFile, VideoWriteError, write_videos


def read(path: Path) -> list[np.ndarray]:
    return list(VideoFile(path).frames())


@pytest.mark.parametrize(("height", "width"), [(24, 32), (25, 33), (1, 1), (24, 33), (25, 32)])
@pytest.mark.parametrize("fps", [12.5, 30000 / 1001])
def test_frames_size_and_rate_survive(
    tmp_path: Path, noise_frames: Callable, height: int, width: int, fps: float
) -> None:
    frames = noise_frames(5, height, width)
    num = write_videos([tmp_path / "new" / "a.mp4"], fps, ([frame] for frame in frames))
    video = VideoFile(tmp_path / "new" / "a.mp4")
    assert (num, video.num_frames) == (5, 5)
    assert video.fps == pytest.approx(fps, abs=0.01)
    found = list(video.frames())
    assert not video.is_truncated
    # Sides are even in the file; nothing of the picture is cut off, and channels keep their order.
    assert found[0].shape == (height + height % 2, width + width % 2, 3)
    for got, wanted in zip(found, frames, strict=True):
        assert np.abs(got[:height, :width].mean((0, 1)) - wanted.mean((0, 1))).max() < 12


def test_channels_keep_their_order(tmp_path: Path, write_video: Callable) -> None:
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 255
    write_videos([tmp_path / "a.mp4"], 10, [[red]])
    assert read(tmp_path / "a.mp4")[0].mean((0, 1)) == pytest.approx([255, 0, 0], abs=12)
    assert np.array_equal(read(write_video(tmp_path / "b.avi", [red]))[0], red)


def test_several_files_at_once(tmp_path: Path, noise_frames: Callable) -> None:
    frames = noise_frames(4)
    outputs = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    write_videos(outputs, 10, zip(frames, frames[::-1], strict=True))
    first, second = (read(output) for output in outputs)
    assert first[0].mean() < second[0].mean() and first[-1].mean() > second[-1].mean()


def test_a_video_that_fails_leaves_what_was_there(tmp_path: Path, noise_frames: Callable) -> None:
    output = tmp_path / "a.mp4"
    write_videos([output], 10, ([frame] for frame in noise_frames(2)))
    before = output.read_bytes()

    def failing() -> Iterator[list[np.ndarray]]:
        yield noise_frames(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_videos([output], 10, failing())
    assert output.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    write_videos([output], 10, ([frame] for frame in noise_frames(3)))
    assert len(read(output)) == 3


def test_no_frames_make_no_file(tmp_path: Path) -> None:
    assert write_videos([tmp_path / "a.mp4"], 10, []) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frames = [[random.integers(0, 256, (64, 64, 3), dtype=np.uint8)] for _ in range(40)]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(
            VideoWriteError, match=r"a.mp4: the video did not arrive whole on the disk, where \d+"
        ):
            write_videos([tmp_path / "a.mp4"], 10, frames)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path, noise_frames: Callable) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError):
        write_videos([tmp_path / "file" / "a.mp4"], 10, [noise_frames(1)])


def test_a_video_that_is_cut_off_yields_what_it_holds(
    tmp_path: Path, cut_video: Callable, capfd: pytest.CaptureFixture[str]
) -> None:
    video = VideoFile(cut_video(tmp_path / "a.avi"))
    frames = list(video.frames())
    assert 0 < len(frames) == video.num_read < 7
    assert video.num_frames == 8 and video.is_truncated
    assert {frame.shape for frame in frames} == {(24, 32, 3)}
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("data", "reason"), [(b"", "the file is empty"), (b"no video", "cannot be opened as a video")]
)
def test_what_is_no_video_is_a_sentence(
    tmp_path: Path, data: bytes, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    with pytest.raises(BadImageError, match=reason):
        VideoFile(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["a%02d.mp4", "http:a.mp4", "ein St\u00fcck.mp4"])
def test_odd_names_are_names(
    tmp_path: Path, noise_frames: Callable, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_videos([Path(name)], 10, ([frame] for frame in noise_frames(2)))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert len(read(Path(name))) == 2
