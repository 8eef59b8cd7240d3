"""The folder layouts that people bring, as names. Opens no file."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = [
    "FOLDERS",
    "LABEL_SUFFIXES",
    "LAYOUTS",
    "LOSSY_SUFFIXES",
    "OTHER_SUFFIXES",
    "PHOTO_SUFFIXES",
    "READY_FILE",
    "ade_labels",
    "by_stem",
    "has_label_folders",
    "has_photo_folders",
    "images_in",
    "images_under",
    "is_landed",
    "label_folders",
    "landed_sets",
    "landing_folder",
    "part_of",
    "render_sets",
    "visual_mesh_labels",
]

LAYOUTS = (
    "segTrain, segTest, realTrain, realTest",
    "trainA, testA, trainB, testB (with trainA_seg, testA_seg where A is rendered)",
    "train/A, test/A, train/B, test/B",
    "incoming/<set>/*.png with a file _READY",
    "*_seg.png with *.jpg (ADE20K)",
    "seg/*.png with raw/ and meta/*.yaml (NUpbr)",
    "mask*.png with image* and lens*.yaml (VisualMesh)",
    "images right in the folder",
)
"""What is looked for, in words."""

FOLDERS = (
    ("segTrain", "realTrain", "train"),
    ("segTest", "realTest", "test"),
    ("trainA", "trainB", "train"),
    ("testA", "testB", "test"),
    ("train/A", "train/B", "train"),
    ("test/A", "test/B", "test"),
)
"""Folder of labels (domain A), folder of photographs (domain B), part."""

READY_FILE = "_READY"
"""Written last into a landing folder; a set without it is still being copied and is not touched."""

LANDING_FOLDER = "incoming"
"""A folder of this name holds a folder for each set that lands."""

LABEL_SUFFIXES = frozenset({".png", ".bmp"})
PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
LOSSY_SUFFIXES = frozenset({".jpg", ".jpeg", ".webp"})
OTHER_SUFFIXES = frozenset(
    {".gif", ".tif", ".tiff", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".tga", ".exr"}
)
"""Pictures too, but taken neither for labels nor for photographs."""

_SEGMENTATION_FOLDERS = ("seg", "segmentation", "mask", "masks")
_RENDER_FOLDERS = ("raw", "image", "images")
_PART_OF_FOLDER = {
    **{folder: part for labels, photos, part in FOLDERS for folder in (labels, photos, f"{labels}_seg")},
    **{"train": "train", "training": "train", "test": "test", "val": "test", "validation": "test"},
}


def images_under(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """Files under `folder` with one of the suffixes, sorted. Hidden files are none."""
    return sorted(
        Path(parent, name)
        for parent, _, names in _walk(folder)
        for name in names
        if _is_image(name, suffixes)
    )


def images_in(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """Files right in `folder` with one of the suffixes, sorted. Hidden files are none."""
    return sorted(path for path in folder.iterdir() if _is_image(path.name, suffixes) and not path.is_dir())


def by_stem(paths: Iterable[Path]) -> dict[str, Path]:
    return {path.stem: path for path in paths}


def has_label_folders(root: Path) -> bool:
    return any((root / name).is_dir() for labels, _, _ in FOLDERS for name in (labels, f"{labels}_seg"))


def has_photo_folders(root: Path) -> bool:
    return any((root / photos).is_dir() for _, photos, _ in FOLDERS)


def label_folders(root: Path) -> list[Path]:
    """The folders of a set that hold nothing but labels, where its layout has such folders."""
    if has_label_folders(root) or has_photo_folders(root):
        pairs = ((root / f"{folder}_seg", root / folder) for folder, _, _ in FOLDERS)
        return [
            folder for labels, plain in pairs if (folder := labels if labels.is_dir() else plain).is_dir()
        ]
    return [labels for labels, _ in render_sets(root)]


def landing_folder(root: Path) -> Path:
    """The landing folder at or in `root`, which need not exist."""
    return root if root.name == LANDING_FOLDER else root / LANDING_FOLDER


def landed_sets(root: Path) -> list[Path] | None:
    """The finished sets of a landing folder in or at `root`, or None where there is no such folder."""
    landing = landing_folder(root)
    if not landing.is_dir():
        return None
    return sorted(path for path in landing.iterdir() if (path / READY_FILE).exists())


def is_landed(set_root: Path) -> bool:
    """False for the landing folder itself and for a set in it that is still being copied."""
    if set_root.name == LANDING_FOLDER:
        return False
    return set_root.parent.name != LANDING_FOLDER or (set_root / READY_FILE).exists()


def ade_labels(root: Path) -> list[Path]:
    """ADE20K: `*_seg.png` anywhere under `root`."""
    return [path for path in images_under(root, {".png"}) if path.stem.endswith("_seg")]


def render_sets(root: Path) -> list[tuple[Path, Path | None]]:
    """NUpbr: (folder of labels, folder of renders) of each run under `root`, known by its `meta` folder."""
    found = []
    for parent, folders, _ in _walk(root):
        labels = next((name for name in _SEGMENTATION_FOLDERS if name in folders), None)
        if labels and "meta" in folders:
            renders = next((Path(parent, name) for name in _RENDER_FOLDERS if name in folders), None)
            found.append((Path(parent, labels), renders))
    return found


def visual_mesh_labels(root: Path) -> list[Path]:
    """VisualMesh: `mask*` right in `root`, where a file `lens*` stands beside them."""
    masks = [path for path in images_in(root, LABEL_SUFFIXES) if path.stem.startswith("mask")]
    return masks if masks and any(name.startswith("lens") for name in os.listdir(root)) else []


def part_of(folder: Path, root: Path) -> str:
    """ "train", "test" or "unsplit", as the names of `folder`, of those above it, and of `root` say."""
    pair = f"{root.parent.name}/{root.name}"
    names = [*reversed(folder.relative_to(root).parts), root.name, pair]
    return next((_PART_OF_FOLDER[name] for name in names if name in _PART_OF_FOLDER), "unsplit")


def _is_image(name: str, suffixes: Iterable[str]) -> bool:
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in suffixes


def _walk(root: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """os.walk in order, without hidden folders, our own ("_..."), and sets that may still be landing."""
    for parent, folders, names in os.walk(root):
        folders[:] = sorted(n for n in folders if not n.startswith((".", "_")) and n != LANDING_FOLDER)
        yield parent, folders, names
