"""What a call of `seg2real translate` reads and writes, decided before any work is done. Opens no file."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.sources.layouts import (
    LABEL_SUFFIXES,
    LOSSY_SUFFIXES,
    OTHER_SUFFIXES,
    PHOTO_SUFFIXES,
    images_under,
)
from pipeline.translation.settings import TranslationError, TranslationSettings

__all__ = ["VIDEO_SUFFIX", "Job", "plan_jobs", "plan_outputs"]

VIDEO_SUFFIX = ".mp4"
"""Of the videos that are written."""
VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"})
"""Of the videos that are read."""


class Job(NamedTuple):
    """One file to translate."""

    source: Path
    outputs: tuple[Path, ...]
    """One for each variant."""
    is_video: bool


def plan_jobs(
    source: Path, out: Path, settings: TranslationSettings, *, from_renders: bool = False
) -> list[Job]:
    """Every image and video that `source` is or holds, and where its translations go.

    A folder's translations keep its folders and names in `out`; those of a single file go to the file `out`,
    or keep their name in the folder `out`.

    Args:
        source: image, video, or folder of them.
        out: file or folder.
        settings: of the call.
        from_renders: pictures are drawn from renders, which are files of any kind, and not from labels.

    Raises:
        TranslationError: there is nothing to translate, two translations would have the same name, or one
            would replace what it is made of.
    """
    if source.is_dir():
        jobs = _jobs_of_folder(source, out, settings, from_renders)
    elif source.exists():
        is_video = _is_video(source)
        jobs = [Job(source, plan_outputs(out, source.stem, settings, is_video=is_video), is_video)]
    else:
        raise TranslationError(f"{source} does not exist; an image, a video or a folder of them was wanted.")
    _refuse_clashes(jobs)
    return jobs


def plan_outputs(out: Path, stem: str, settings: TranslationSettings, *, is_video: bool) -> tuple[Path, ...]:
    """The files of one source, one for each variant: `out` itself, or `stem` in the folder `out`.

    Raises:
        TranslationError: `out` names a file of another kind.
    """
    wanted = _suffix(settings, is_video=is_video)
    allowed = {".jpg", ".jpeg", ".png"} if _draws_pictures(settings) and not is_video else {wanted}
    suffix = out.suffix.lower()
    if out.is_dir() or suffix not in VIDEO_SUFFIXES | PHOTO_SUFFIXES | OTHER_SUFFIXES:
        if out.is_file():
            raise TranslationError(f"{out} is a file of another kind; name a folder or a {wanted} file.")
        return _variants(out / f"{stem}{wanted}", settings)
    if suffix not in allowed:
        kind = "A video" if is_video else "A picture" if _draws_pictures(settings) else "A segmentation image"
        raise TranslationError(
            f"{kind} cannot be written to {out}; name a folder or a {' or '.join(sorted(allowed))} file."
        )
    return _variants(out, settings)


def _jobs_of_folder(source: Path, out: Path, settings: TranslationSettings, from_renders: bool) -> list[Job]:
    if out.exists() and not out.is_dir():
        raise TranslationError(f"{out} is no folder; the translations of folder {source} need one.")
    if out.resolve().is_relative_to(source.resolve()):
        raise TranslationError(
            f"{out} lies in {source}, so that the next call would translate its own pictures; choose a "
            "folder beside it."
        )
    is_label = _draws_pictures(settings) and not from_renders
    images = LABEL_SUFFIXES if is_label else PHOTO_SUFFIXES
    jobs = []
    for path in images_under(source, images | VIDEO_SUFFIXES):
        name = path.relative_to(source).with_suffix(_suffix(settings, is_video=_is_video(path)))
        jobs.append(Job(path, _variants(out / name, settings), _is_video(path)))
    if jobs:
        return jobs
    lossy = images_under(source, LOSSY_SUFFIXES)
    if lossy:
        raise TranslationError(
            f"{source} holds {len(lossy)} files like {lossy[0].name} and no segmentation images: "
            f"{lossy[0].suffix[1:].upper()} changes the colours of a label; export them as PNG, or say "
            "--direction ba if they are photographs."
        )
    raise TranslationError(
        f"{source} holds nothing to translate; looked for {', '.join(sorted(images | VIDEO_SUFFIXES))}."
    )


def _draws_pictures(settings: TranslationSettings) -> bool:
    return settings.direction == "ab"


def _suffix(settings: TranslationSettings, *, is_video: bool) -> str:
    if is_video:
        return VIDEO_SUFFIX
    return f".{settings.image_format}" if _draws_pictures(settings) else ".png"


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES


def _variants(output: Path, settings: TranslationSettings) -> tuple[Path, ...]:
    if settings.variants == 1:
        return (output,)
    return tuple(
        output.with_name(f"{output.stem}-v{number}{output.suffix}") for number in range(settings.variants)
    )


def _refuse_clashes(jobs: Sequence[Job]) -> None:
    inputs = {job.source.resolve(): job.source for job in jobs}
    first: dict[Path, Path] = {}
    for job in jobs:
        for output in job.outputs:
            place = output.resolve()
            if place in inputs:
                raise TranslationError(
                    f"The translation of {job.source} would replace {inputs[place]}; write to another place."
                )
            if place in first:
                raise TranslationError(
                    f"{first[place]} and {job.source} would both become {output}; rename one of them."
                )
            if output.is_dir():
                raise TranslationError(f"{output} is a folder, where a file is to be written; remove it.")
            first[place] = job.source
