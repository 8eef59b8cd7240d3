"""Videos as frames, and frames as videos. Outside it a frame is uint8 [H, W, 3] RGB, upright."""

import hashlib
import math
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import cv2
import numpy as np

from manifests.durable import make_folders, sync_folder
from pipeline.images import BadImageError

__all__ = ["VideoFile", "VideoWriteError", "open_capture", "plausible_fps", "write_videos"]

DEFAULT_FPS = 25.0
MAX_FPS = 1000.0
"""More is a clock's rate, not a video's."""
CODEC = "mp4v"
FRAME_COUNT_TOLERANCE = 0.01
"""Some containers hold no number of frames, and it is estimated from the duration."""


class VideoWriteError(OSError):
    """A video could not be written whole; nothing is left of it."""


class VideoFile:
    """A video to read.

    Args:
        path: the file.

    Raises:
        BadImageError: it cannot be opened, or holds no frame; path and reason.
    """

    def __init__(self, path: Path):
        self.path = path
        self.num_read = 0
        """Frames that came so far."""
        if path.stat().st_size == 0:
            raise BadImageError(path, "the file is empty")
        # An absolute path: FFmpeg would take "name:..." for a protocol, OpenCV "%" for numbered images.
        self._capture = open_capture(str(path.absolute()), cv2.CAP_FFMPEG)
        if self._capture is None:
            raise BadImageError(
                path, "it cannot be opened as a video; it is damaged, or of an unknown format"
            )
        self.fps = plausible_fps(self._capture)
        self.num_frames = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        """As the file says; not all of them may be readable."""

    @property
    def is_truncated(self) -> bool:
        """Asked after the last frame: whether the file promised more."""
        return self.num_frames - self.num_read > max(1, FRAME_COUNT_TOLERANCE * self.num_frames)

    def sha256(self) -> str:
        """Of the file's content."""
        with open(self.path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def frames(self) -> Iterator[np.ndarray]:
        """Every frame that can be read. Raises BadImageError when there is not one."""
        try:
            while True:
                is_there, frame = self._capture.read()
                if not is_there:
                    break
                self.num_read += 1
                yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        finally:
            self._capture.release()
        if self.num_read == 0:
            raise BadImageError(self.path, "no frame of it can be decoded")


def open_capture(source: str | int, backend: int = cv2.CAP_ANY) -> cv2.VideoCapture | None:
    """A file or camera, or None; what OpenCV and FFmpeg say to a fault goes nowhere."""
    with _quiet():
        capture = cv2.VideoCapture(source, backend)
    return capture if capture.isOpened() else None


def plausible_fps(capture: cv2.VideoCapture) -> float:
    """Frames per second as the file or camera says, or a usual rate where it says nothing sensible."""
    fps = capture.get(cv2.CAP_PROP_FPS)
    return fps if math.isfinite(fps) and 0 < fps <= MAX_FPS else DEFAULT_FPS


def write_videos(outputs: Sequence[Path], fps: float, frames: Iterable[Sequence[np.ndarray]]) -> int:
    """Write MP4 files without sound, each whole or not at all; what was there is replaced.

    The encoder takes even sizes only: an odd frame's last column or row is shown twice.

    Args:
        outputs: the files.
        fps: frames per second.
        frames: for each moment a frame for each file, uint8 [H, W, 3] RGB; all of one size.

    Returns:
        Moments written; files without any are not made.

    Raises:
        VideoWriteError: a file did not arrive whole on the disk.
    """
    num_written = 0
    with ExitStack() as stack:
        writers: list[_Writer] = []
        for pictures in frames:
            if not writers:
                size = pictures[0].shape[:2]
                writers = [stack.enter_context(_open_writer(output, fps, size)) for output in outputs]
            for writer, picture in zip(writers, pictures, strict=True):
                writer.write(picture)
            num_written += 1
    return num_written


class _Writer:
    """One file under its temporary name."""

    def __init__(self, path: Path, fps: float, shape: tuple[int, int]):
        self._to_even = shape[0] % 2, shape[1] % 2
        size = shape[1] + self._to_even[1], shape[0] + self._to_even[0]
        self._path = path
        self._num_frames = 0
        with _quiet():
            code = cv2.VideoWriter_fourcc(*CODEC)
            self._writer = cv2.VideoWriter(str(path.absolute()), cv2.CAP_FFMPEG, code, fps, size)
        self.is_open = self._writer.isOpened()

    def write(self, frame: np.ndarray) -> None:
        """Append uint8 [H, W, 3] RGB."""
        below, right = self._to_even
        frame = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        if below or right:
            frame = cv2.copyMakeBorder(frame, 0, below, 0, right, cv2.BORDER_REPLICATE)
        self._writer.write(frame)
        self._num_frames += 1

    def close(self) -> None:
        self._writer.release()

    def is_whole(self) -> bool:
        """OpenCV says nothing of a write that failed, but a file that lacks its end has no frames."""
        capture = open_capture(str(self._path.absolute()), cv2.CAP_FFMPEG)
        return capture is not None and int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) == self._num_frames


@contextmanager
def _open_writer(path: Path, fps: float, shape: tuple[int, int]) -> Iterator[_Writer]:
    """A video to write, which becomes `path` when the block succeeds and vanishes when it fails."""
    make_folders(path.parent)
    temporary = path.parent / f".{secrets.token_hex(8)}{path.suffix}"
    writer = _Writer(temporary, fps, shape)
    try:
        if not writer.is_open:
            raise VideoWriteError(
                f"{path}: no video can be written there; check that the folder may be written."
            )
        yield writer
        writer.close()
        if not writer.is_whole():
            raise VideoWriteError(
                f"{path}: the video did not arrive whole on the disk, where "
                f"{shutil.disk_usage(path.parent).free} bytes are free; make room and run the same command "
                "again."
            )
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    finally:
        writer.close()
        temporary.unlink(missing_ok=True)


@contextmanager
def _quiet() -> Iterator[None]:
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
