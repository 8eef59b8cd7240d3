"""Renders: pictures that were rendered together with labels, from which semi-synthetic runs translate."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.images import BadImageError
from pipeline.sources.facts import ImageFacts
from pipeline.sources.findings import Finding
from pipeline.sources.search import SourceLabel

__all__ = ["Render", "check_renders", "usable_render"]


class Render(NamedTuple):
    """A render that fits its label."""

    path: Path
    sha256: str


def usable_render(
    label: SourceLabel, of_label: ImageFacts, of_render: ImageFacts | BadImageError | None
) -> Render | BadImageError:
    """The render of a good label, or why the label cannot be used in a run that needs it."""
    if of_render is None:
        return BadImageError(label.path, "it has no render of the same stem, and this run translates renders")
    if isinstance(of_render, BadImageError):
        return BadImageError(label.path, f"its render {of_render.path} cannot be used: {of_render.reason}")
    fault = _other_size(of_label, of_render)
    if fault is not None:
        return BadImageError(label.path, f"of its render {label.render_path}, {fault}")
    return Render(label.render_path, of_render.sha256)


def check_renders(
    renders: Sequence[tuple[Path, ImageFacts | BadImageError, ImageFacts | BadImageError]], photos: set[Path]
) -> Iterator[Finding]:
    """What is wrong with renders of a run that needs none.

    Args:
        renders: path of each, facts of its label, its own facts.
        photos: what the run takes for photographs, which may be renders.
    """
    unused = [path for path, _, _ in renders if path not in photos]
    if unused:
        others = f", nor are {len(unused) - 1} more" if len(unused) > 1 else ""
        what = f"it is the render of a label and is not used{others}"
        fix = "leave it, or set train.conditioning to render to translate renders instead of labels"
        yield Finding("unused-render", "warning", unused[0], what, fix)
    for path, of_label, of_render in renders:
        if isinstance(of_render, BadImageError):
            yield Finding("bad-render", "warning", path, of_render.reason, "repair or remove it")
        elif isinstance(of_label, ImageFacts):
            fault = _other_size(of_label, of_render)
            if fault is not None:
                yield Finding("render-size", "warning", path, fault, "render both at one size")


def _other_size(of_label: ImageFacts, of_render: ImageFacts) -> str | None:
    label_size, size = ((facts.width, facts.height) for facts in (of_label, of_render))
    if size == label_size:
        return None
    return f"it is {size[0]} x {size[1]} px and its label {label_size[0]} x {label_size[1]}"
