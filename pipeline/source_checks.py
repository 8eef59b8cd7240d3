"""What names alone tell about sources: missing twins, stems that clash. Opens no image."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.findings import Finding
from pipeline.layouts import (
    FOLDERS,
    LABEL_SUFFIXES,
    PHOTO_SUFFIXES,
    ade_labels,
    by_stem,
    images_under,
    is_landed,
    landed_sets,
    render_sets,
)
from pipeline.sources import CAMERA_SUFFIXES, SourceLabel

__all__ = ["check_names", "check_twins"]


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
