"""Finds labels and photographs in every folder layout that is known. Looks at names only; opens no image."""

import functools
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.sources.layouts import (
    FOLDERS,
    LABEL_SUFFIXES,
    LAYOUTS,
    LOSSY_SUFFIXES,
    PHOTO_SUFFIXES,
    ade_labels,
    by_stem,
    has_label_folders,
    has_photo_folders,
    images_in,
    images_under,
    is_landed,
    landed_sets,
    landing_folder,
    part_of,
    render_sets,
    visual_mesh_labels,
)

__all__ = ["SourceError", "SourceLabel", "SourcePhoto", "find_labels", "find_photos"]

CAMERA_SUFFIXES = (".yaml", ".yml", ".json")


class SourceError(ValueError):
    """A source folder that does not exist or holds nothing known."""

    def __init__(self, root: Path, reason: str) -> None:
        super().__init__(root, reason)
        self.root = root
        self.reason = reason

    def __str__(self) -> str:
        return f"Source {self.root} {self.reason}."


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLabel:
    """One segmentation image as it was found."""

    path: Path
    set_root: Path
    source_set: str
    """Name of the set: that of its root folder."""
    relative: str
    """Path relative to the set's root, with "/" between folders."""
    part: str
    """ "train", "test" or "unsplit": the folder it came from."""
    camera_path: Path | None = None
    """Camera metadata beside it."""
    render_path: Path | None = None
    """The picture that was rendered together with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePhoto:
    """One photograph as it was found."""

    path: Path
    part: str
    """ "train", "test" or "unsplit"."""


def find_labels(root: Path) -> list[SourceLabel]:
    """Every segmentation image under `root`, sorted by set and relative path.

    A landing folder in which nothing has landed yet need not exist.

    Raises:
        SourceError: there is no such folder, or nothing of a known layout in it.
    """
    if landing_folder(root) == root and not root.exists():
        return []
    _require_folder(root)
    sets = landed_sets(root)
    found = [label for set_root in sets or () for label in _labels_of_set(set_root)]
    if is_landed(root):
        found += _labels_of_set(root)
        if not found and sets is None and not has_label_folders(root):
            raise _no_labels(root)
    return sorted(found, key=lambda label: (label.source_set, label.relative))


def find_photos(root: Path) -> list[SourcePhoto]:
    """Every photograph under `root`, sorted by path; what `find_labels` takes for a label there is none.

    A plain folder of nothing but PNG or BMP files says not what they are: here they are photographs.

    Raises:
        SourceError: there is no such folder, or nothing of a known layout in it.
    """
    _require_folder(root)
    found = []
    if has_photo_folders(root):
        for _, folder, part in FOLDERS:
            found += [
                SourcePhoto(path=path, part=part) for path in images_under(root / folder, PHOTO_SUFFIXES)
            ]
        return sorted(found, key=lambda photo: photo.path)
    if not has_label_folders(root):
        if ade_labels(root):
            paths = images_under(root, {".jpg", ".jpeg"})
        else:
            paths = images_in(root, PHOTO_SUFFIXES)
            labels = set(visual_mesh_labels(root) or images_in(root, LABEL_SUFFIXES))
            paths = [path for path in paths if path not in labels] or paths
        found = [SourcePhoto(path=path, part=part_of(path.parent, root)) for path in paths]
    if not found:
        raise _nothing_known(root, "photographs")
    return found


def _require_folder(root: Path) -> None:
    if not root.is_dir():
        fault = "is no folder" if root.exists() else "does not exist"
        raise SourceError(root, f"{fault}; sources.labels and sources.photos name folders")


def _nothing_known(root: Path, what: str) -> SourceError:
    return SourceError(root, f"holds no {what} in any known layout; looked for {'; '.join(LAYOUTS)}")


def _no_labels(root: Path) -> SourceError:
    lossy = images_in(root, LOSSY_SUFFIXES)
    if not lossy or has_photo_folders(root):
        return _nothing_known(root, "labels")
    return SourceError(
        root,
        f"holds {len(lossy)} files like {lossy[0].name} and no labels: {lossy[0].suffix[1:].upper()} changes "
        "the colours of a label; export the labels as PNG",
    )


def _labels_of_set(root: Path) -> list[SourceLabel]:
    names = functools.cache(_file_names)

    def label(path: Path, part: str, render_path: Path | None = None) -> SourceLabel:
        return SourceLabel(
            path=path,
            set_root=root,
            source_set=root.resolve().name,
            relative=path.relative_to(root).as_posix(),
            part=part,
            camera_path=_camera_path(path, root, names),
            render_path=render_path,
        )

    if has_label_folders(root) or has_photo_folders(root):
        found = []
        for folder, _, part in FOLDERS:
            labels = root / f"{folder}_seg"
            if labels.is_dir():
                renders = by_stem(images_under(root / folder, PHOTO_SUFFIXES))
                paths = images_under(labels, LABEL_SUFFIXES)
                found += [label(path, part, renders.get(path.stem)) for path in paths]
            else:
                found += [label(path, part) for path in images_under(root / folder, LABEL_SUFFIXES)]
        return found

    if paths := ade_labels(root):
        return [label(path, part_of(path.parent, root)) for path in paths]

    if runs := render_sets(root):
        found = []
        for labels, folder in runs:
            renders = by_stem(images_under(folder, PHOTO_SUFFIXES)) if folder else {}
            paths = images_under(labels, LABEL_SUFFIXES)
            found += [label(path, part_of(labels, root), renders.get(path.stem)) for path in paths]
        return found

    part = part_of(root, root)
    if masks := visual_mesh_labels(root):
        renders = by_stem(images_in(root, PHOTO_SUFFIXES))
        return [label(path, part, renders.get(path.stem.replace("mask", "image", 1))) for path in masks]
    return [label(path, part) for path in images_in(root, LABEL_SUFFIXES)]


def _camera_path(label: Path, root: Path, names: Callable[[Path], frozenset[str]]) -> Path | None:
    """Camera metadata of a label: meta/<stem>.yaml, lens<number>.yaml, or one lens.yaml for the folder."""
    folder = label.parent
    candidates = [(folder.parent / "meta", label.stem), (root / "meta", label.stem)]
    if number := re.search(r"\d+$", label.stem):
        candidates.append((folder, f"lens{number[0]}"))
    candidates += [(folder, "lens"), (folder.parent, "lens")]
    for parent, stem in candidates:
        for suffix in CAMERA_SUFFIXES:
            if f"{stem}{suffix}" in names(parent):
                return parent / f"{stem}{suffix}"
    return None


def _file_names(folder: Path) -> frozenset[str]:
    return frozenset(os.listdir(folder)) if folder.is_dir() else frozenset()
