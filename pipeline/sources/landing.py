"""Sets that landed: one that is bad as a whole is left out, and the others go on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.images import BadImageError
from pipeline.sources.facts import ImageFacts
from pipeline.sources.layouts import READY_FILE, landed_sets, landing_folder
from pipeline.sources.limits import too_many_bad
from pipeline.sources.search import SourceLabel

__all__ = ["FIX_SET", "BadSet", "find_bad_sets", "waiting_sets"]

FIX_SET = f"repair the set and write its {READY_FILE} again, or remove it; the others go on without it"


class BadSet(NamedTuple):
    """A landed set of which nothing is used."""

    root: Path
    reason: str
    """A clause about it."""


def find_bad_sets(
    roots: Iterable[Path], facts: Mapping[SourceLabel, ImageFacts | BadImageError], max_bad_fraction: float
) -> list[BadSet]:
    """The sets in landing folders that hold no label, or more bad ones than a run may have.

    Args:
        roots: the folders that `sources.labels` names.
        facts: what each label is.
        max_bad_fraction: of a set's labels.
    """
    of_set: dict[Path, list[ImageFacts | BadImageError]] = defaultdict(list)
    for label, known in facts.items():
        of_set[label.set_root].append(known)
    bad_sets = []
    for set_root in dict.fromkeys(each for root in roots for each in landed_sets(root) or ()):
        reason = _fault(of_set[set_root], max_bad_fraction)
        if reason is not None:
            bad_sets.append(BadSet(set_root, reason))
    return bad_sets


def _fault(facts: Sequence[ImageFacts | BadImageError], max_bad_fraction: float) -> str | None:
    if not facts:
        return "it holds no labels in any known layout"
    bad = [known for known in facts if isinstance(known, BadImageError)]
    return too_many_bad("labels", len(facts), bad, max_bad_fraction)


def waiting_sets(roots: Iterable[Path]) -> list[Path]:
    """The sets in landing folders that are still being copied, or copied anew."""
    return sorted(
        path
        for folder in map(landing_folder, roots)
        if folder.is_dir()
        for path in folder.iterdir()
        if path.is_dir() and not (path / READY_FILE).exists()
    )
