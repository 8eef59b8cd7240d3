"""What names alone tell about sources: missing twins, stems that clash, files left out. Opens no image."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pipeline.sources.findings import Finding
from pipeline.sources.layouts import (
    FOLDERS,
    LABEL_SUFFIXES,
    LOSSY_SUFFIXES,
    OTHER_SUFFIXES,
    PHOTO_SUFFIXES,
    ade_labels,
    by_stem,
    has_label_folders,
    has_photo_folders,
    images_in,
    images_under,
    is_landed,
    label_folders,
    landed_sets,
    render_sets,
    visual_mesh_labels,
)
from pipeline.sources.search import CAMERA_SUFFIXES, SourceLabel, SourcePhoto

__all__ = ["check_names", "check_roles", "check_twins", "skipped_labels", "skipped_photos"]


def check_twins(root: Path) -> list[Finding]:
    """Files that stand alone where their layout promises pairs. Unpaired layouts promise nothing."""
    roots = [*(landed_sets(root) or ()), *([root] if is_landed(root) else [])]
    return [finding for set_root in roots for finding in _twins_of_set(set_root)]


def check_names(labels: Iterable[SourceLabel]) -> list[Finding]:
    """Stems that stand for two labels of one set, or would on a file system that folds case or Unicode."""
    groups: dict[tuple[Path, str], list[SourceLabel]] = defaultdict(list)
    for label in labels:
        groups[label.set_root, _normal(label.path.stem).casefold()].append(label)
    return [_clash(group) for group in groups.values() if len(group) > 1]


def check_roles(labels: Iterable[SourceLabel], photos: Iterable[SourcePhoto]) -> list[Finding]:
    """An error where files would be used as labels and as photographs too."""
    both = sorted({label.path for label in labels} & {photo.path for photo in photos})
    if not both:
        return []
    others = f", as would {len(both) - 1} more" if len(both) > 1 else ""
    what = f"would be used as a label and as a photograph{others}"
    return [Finding("label-and-photo", "error", both[0], what, "give each kind a folder of its own")]


def skipped_labels(root: Path) -> list[Finding]:
    """Pictures where labels belong whose suffix is none of a label's; one finding per suffix."""
    sets = [*(landed_sets(root) or ()), *([root] if is_landed(root) else [])]
    suffixes = (PHOTO_SUFFIXES | OTHER_SUFFIXES) - LABEL_SUFFIXES
    return [
        finding
        for set_root in sets
        for finding in _skipped(_label_places(set_root, suffixes), _why_no_label, "export it as PNG")
    ]


def skipped_photos(root: Path) -> list[Finding]:
    """Pictures where photographs belong that are taken for none."""
    if has_photo_folders(root):
        paths = [path for _, folder, _ in FOLDERS for path in images_under(root / folder, OTHER_SUFFIXES)]
    elif has_label_folders(root) or ade_labels(root):
        paths = []
    else:
        paths = images_in(root, OTHER_SUFFIXES)
        if not visual_mesh_labels(root) and images_in(root, PHOTO_SUFFIXES - LABEL_SUFFIXES):
            paths += images_in(root, LABEL_SUFFIXES)
    return list(_skipped(paths, _why_no_photo, "if it is a photograph, move it or convert it to JPEG"))


def _label_places(root: Path, suffixes: Iterable[str]) -> list[Path]:
    """Files with one of the suffixes that lie where only labels belong."""
    if folders := label_folders(root):
        return [path for folder in folders for path in images_under(folder, suffixes)]
    if has_photo_folders(root) or ade_labels(root):
        return []
    # Right in a folder, other pictures may be photographs, as long as there are labels too.
    return images_in(root, OTHER_SUFFIXES if images_in(root, LABEL_SUFFIXES) else suffixes)


def _why_no_label(suffix: str) -> str:
    if suffix in LOSSY_SUFFIXES:
        return "a lossy format changes the colours of a label"
    return f"labels end in {' or '.join(sorted(LABEL_SUFFIXES, reverse=True))}"


def _why_no_photo(suffix: str) -> str:
    if suffix in LABEL_SUFFIXES:
        return "beside JPEG files it is taken for a label"
    return f"photographs end in {', '.join(sorted(PHOTO_SUFFIXES))}"


def _skipped(paths: list[Path], why: Callable[[str], str], fix: str) -> Iterator[Finding]:
    """One finding per suffix, on the first file."""
    counts = Counter(path.suffix.lower() for path in paths)
    for suffix, num in counts.items():
        first = next(path for path in paths if path.suffix.lower() == suffix)
        others = f", as are {num - 1} more {suffix} files" if num > 1 else ""
        yield Finding("skipped-file", "warning", first, f"it is left out{others}: {why(suffix)}", fix)


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _clash(group: list[SourceLabel]) -> Finding:
    stems = [label.path.stem for label in group]
    shown = ", ".join(label.relative for label in group[:4]) + (", ..." if len(group) > 4 else "")
    if len(set(stems)) < len(stems):
        code, what = "duplicate-stem", f"{len(group)} labels of set '{group[0].source_set}' have one stem"
    elif len({_normal(stem) for stem in stems}) < len(stems):
        code, what = "unicode-twins", f"{len(group)} names differ only in how Unicode composes them"
    else:
        code, what = "case-clash", f"{len(group)} names differ only in upper and lower case"
    fix = "rename them; until then their generated images differ by the content hash in the name only"
    return Finding(code, "warning", group[0].path, f"{what} ({shown})", fix)


def _twins_of_set(root: Path) -> Iterator[Finding]:
    for folder, _, _ in FOLDERS:
        labels = root / f"{folder}_seg"
        if labels.is_dir():
            renders = by_stem(images_under(root / folder, PHOTO_SUFFIXES))
            yield from _lonely(("label", by_stem(images_under(labels, LABEL_SUFFIXES))), ("render", renders))
    if labels := ade_labels(root):
        by_place = {str(path.with_name(path.stem.removesuffix("_seg"))): path for path in labels}
        photos = {str(path.with_suffix("")): path for path in images_under(root, {".jpg", ".jpeg"})}
        yield from _lonely(("label", by_place), ("photograph", photos))
    for folder, renders in render_sets(root):
        labels = by_stem(images_under(folder, LABEL_SUFFIXES))
        if renders:
            yield from _lonely(("label", labels), ("render", by_stem(images_under(renders, PHOTO_SUFFIXES))))
        cameras = by_stem(images_under(folder.parent / "meta", CAMERA_SUFFIXES))
        yield from _lonely(("label", labels), ("camera file", cameras))


def _lonely(first: tuple[str, dict[str, Path]], second: tuple[str, dict[str, Path]]) -> Iterator[Finding]:
    """One finding per direction, on the first file without a twin."""
    for (kind, paths), (twin_kind, twins) in ((first, second), (second, first)):
        alone = [path for key, path in paths.items() if key not in twins]
        if alone:
            count = f"it and {len(alone) - 1} more have" if len(alone) > 1 else "it has"
            what = f"{count} no {twin_kind} of the same stem"
            fix = f"add the {twin_kind} or remove the {kind}"
            yield Finding("missing-twin", "warning", alone[0], what, fix)
