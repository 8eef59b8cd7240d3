"""Translates files and cameras: what `seg2real translate` does."""

import hashlib
import itertools
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from pipeline.images import BadImageError, write_file
from pipeline.interruption import watch_signals
from pipeline.prepare import TooManyBadInputs
from pipeline.progress import ShowProgress, show_progress
from pipeline.translation.camera import Camera, has_display, in_real_time, on_screen
from pipeline.translation.drawing import Drawing
from pipeline.translation.jobs import Job
from pipeline.translation.settings import TranslationError, TranslationSettings
from pipeline.translation.video import VideoFile, write_videos

__all__ = ["Translated", "require_enough", "translate_camera", "translate_files"]

logger = logging.getLogger(__name__)

Item = TypeVar("Item")


class Translated(NamedTuple):
    """What came of some files."""

    written: list[Path]
    bad: list[BadImageError]
    """One for each file that could not be translated."""


def require_enough(result: Translated, num_jobs: int, max_bad_fraction: float) -> None:
    """Raise TooManyBadInputs when more than this share of the files could not be translated, or all."""
    num_bad = len(result.bad)
    if num_bad and (num_bad == num_jobs or num_bad > max_bad_fraction * num_jobs):
        raise TooManyBadInputs(
            f"{num_bad} of {num_jobs} files cannot be translated, over --max-bad {max_bad_fraction:g}; the "
            f"first is {result.bad[0]}"
        )


def translate_files(
    drawing: Drawing, jobs: Sequence[Job], settings: TranslationSettings, show: ShowProgress = show_progress
) -> Translated:
    """Translate file by file; bad ones are passed over. Each output is whole or absent, and replaces what was
    there.

    Raises:
        DiskFullError: an image does not fit on the disk.
        VideoWriteError: a video does not.
    """
    lengths = [_num_frames(job, settings) for job in jobs]
    starts = [0, *itertools.accumulate(lengths)]
    written: list[Path] = []
    bad: list[BadImageError] = []
    with show("translate", "frames" if any(job.is_video for job in jobs) else "images") as progress:
        progress(0, starts[-1])
        for job, start, end in zip(jobs, starts, starts[1:], strict=False):
            try:
                if job.is_video:
                    _translate_video(
                        drawing,
                        job,
                        settings,
                        lambda num, at=start, to=end: progress(min(at + num, to), starts[-1]),
                    )
                else:
                    for output, data in drawing.image_file(job.source, job.outputs):
                        write_file(output, data)
                written += job.outputs
            except BadImageError as error:
                bad.append(error)
            progress(end, starts[-1])
    return Translated(written, bad)


def translate_camera(
    drawing: Drawing,
    camera: Camera,
    outputs: Sequence[Path],
    settings: TranslationSettings,
    show: ShowProgress = show_progress,
) -> int:
    """Translate what a camera sees until a signal comes, the seconds are over, or its window is closed.

    The window shows where there is a display; videos are written to `outputs`, if any, and are whole
    however it ends.

    Returns:
        Frames translated.

    Raises:
        TranslationError: the camera gave no picture.
        VideoWriteError: a video does not fit on the disk.
    """
    num_translated = 0
    total = math.ceil((settings.seconds or 0) * camera.fps)

    def count(num: int) -> None:
        nonlocal num_translated
        num_translated = num
        progress(num, max(num, total))

    with watch_signals("ending the video") as received, show("translate", "frames") as progress:
        frames = camera.frames(settings.seconds, lambda: received() is not None)
        moments = drawing.frames(frames, Path(camera.name), hashlib.sha256(camera.name.encode()).hexdigest())
        moments = _counted(moments, count)
        if has_display():
            moments = on_screen(moments)
        write_videos(outputs, camera.fps, in_real_time(moments, camera.fps))
    if num_translated == 0 and received() is None:
        raise TranslationError(f"{camera.name} gave no picture; check that no other program uses it.")
    return num_translated


def _translate_video(
    drawing: Drawing, job: Job, settings: TranslationSettings, count: Callable[[int], None]
) -> None:
    video = VideoFile(job.source)
    frames = itertools.islice(video.frames(), _limit(video, settings))
    moments = drawing.frames(frames, job.source, video.sha256())
    num_written = write_videos(job.outputs, video.fps, _counted(moments, count))
    if video.is_truncated and num_written == video.num_read and num_written != _limit(video, settings):
        logger.warning(
            "%s ends after %d of its %d frames; these are translated.",
            job.source,
            num_written,
            video.num_frames,
        )


def _num_frames(job: Job, settings: TranslationSettings) -> int:
    """As far as can be told before it is read; an image counts as one."""
    if not job.is_video:
        return 1
    try:
        video = VideoFile(job.source)
    except BadImageError:
        return 1
    limit = _limit(video, settings)
    return max(1, video.num_frames if limit is None else min(video.num_frames, limit))


def _limit(video: VideoFile, settings: TranslationSettings) -> int | None:
    return None if settings.seconds is None else math.ceil(settings.seconds * video.fps)


def _counted(items: Iterable[Item], count: Callable[[int], None]) -> Iterator[Item]:
    for number, item in enumerate(items, start=1):
        yield item
        count(number)
