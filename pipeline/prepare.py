"""Stage: from source folders to records. Good files stay where they are; bad ones get a reason."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from manifests.durable import make_folders, write_durable
from manifests.schema import SampleRecord
from pipeline.config import SourcesConfig
from pipeline.palette import Palette
from pipeline.sources.findings import Finding
from pipeline.sources.inspection import FIX_IMAGE, Inspection, find_sources, inspect_sources
from pipeline.sources.inspection_cache import InspectionCache
from pipeline.sources.landing import FIX_SET
from pipeline.sources.limits import too_many_bad
from pipeline.sources.search import SourceError

__all__ = ["BAD_FILES", "BAD_SETS", "Photo", "Prepared", "TooManyBadInputs", "prepare"]

BAD_FILES = "bad_files.jsonl"
"""In the quarantine folder: one line per bad file with `file`, `kind`, `reason` and `what_to_do`."""

BAD_SETS = "bad_sets.jsonl"
"""Beside it: one line per landed set of which nothing is used, with `set`, `reason` and `what_to_do`."""


class TooManyBadInputs(ValueError):
    """So many files cannot be used that the run would not be what was asked for. Exit code 3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """One photograph that can be used."""

    path: Path
    part: str
    """ "train", "test" or "unsplit": the folder it came from."""
    sha256: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything usable that the source folders hold."""

    records: tuple[SampleRecord, ...]
    """One per label, with source fields, size, class pixel counts and camera; each content once."""
    label_paths: Mapping[str, Path]
    """Source sha256 -> where that label lies."""
    render_paths: Mapping[str, Path]
    """Source sha256 -> where the render of that label lies; empty where the run needs none."""
    photos: tuple[Photo, ...]
    missing_sets: frozenset[str] = frozenset()
    """Names of the sets in landing folders that are there and not used now: bad, or not whole yet."""
    findings: tuple[Finding, ...]

    @property
    def train_labels(self) -> tuple[Path, ...]:
        """Labels to train on: those outside test folders, or all where there are no others."""
        paths = [(self.label_paths[r.source_sha256], r.source_part) for r in self.records]
        return _outside_test(paths)

    @property
    def train_images(self) -> tuple[tuple[Path, ...], tuple[Path, ...], tuple[Path, ...]]:
        """`train_labels`, `train_photos`, and the renders of these labels where the run needs any."""
        label_of = {path: sha256 for sha256, path in self.label_paths.items()}
        labels = self.train_labels
        renders = tuple(self.render_paths[label_of[path]] for path in labels) if self.render_paths else ()
        return labels, self.train_photos, renders

    @property
    def background_paths(self) -> dict[str, Path]:
        """Photographs whose backgrounds may be pasted, those to train on: sha256 -> where it lies."""
        sha256s = {photo.path: photo.sha256 for photo in self.photos}
        return {sha256s[path]: path for path in self.train_photos}

    @property
    def train_photos(self) -> tuple[Path, ...]:
        """Photographs to train on: those outside test folders, or all where there are no others."""
        return _outside_test([(photo.path, photo.part) for photo in self.photos])


def prepare(
    sources: SourcesConfig,
    palette: Palette,
    *,
    cache: Path,
    quarantine: Path,
    needs_photos: bool = True,
    needs_renders: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Prepared:
    """Find, hash and check every source file.

    Args:
        sources: folders and limits.
        palette: of the labels.
        cache: JSON file that remembers good files, so that a second run opens only what has changed.
        quarantine: folder whose `bad_files.jsonl` and `bad_sets.jsonl` list what cannot be used; each run
            writes them anew.
        needs_renders: True = a label without its render cannot be used.
        needs_photos: False = it is no fault when photographs are missing or bad.
        progress: called with (files done, files in all).

    Returns:
        What can be used. The same folders give the same result in the same order.

    Raises:
        SourceError: a source folder does not exist or holds nothing known, or a file would be both a label
            and a photograph.
        TooManyBadInputs: more than `max_bad_fraction` of the labels or photographs are bad, or none is left.
    """
    found = find_sources(sources, needs_photos=needs_photos)
    for finding in found.findings:
        if finding.severity == "error":
            raise SourceError(finding.path, f"{finding.what}; {finding.fix}")
    remembered = InspectionCache(cache, sources, palette)
    inspection = inspect_sources(
        found, sources, palette, remembered, needs_renders=needs_renders, progress=progress
    )
    remembered.save()
    _write_quarantine(quarantine, inspection)
    for kind, num_found, bad, is_needed in (
        ("labels", inspection.num_labels_found, inspection.bad_labels, True),
        ("photographs", len(found.photos), inspection.bad_photos, needs_photos),
    ):
        if not is_needed:
            continue
        fault = too_many_bad(kind, num_found, bad, sources.max_bad_fraction)
        if fault is not None:
            raise TooManyBadInputs(f"{fault}; {quarantine / BAD_FILES} lists each.")
    return _as_prepared(inspection)


def _as_prepared(inspection: Inspection) -> Prepared:
    records = tuple(
        SampleRecord(
            source_set=label.source_set,
            source_label=label.relative,
            source_sha256=facts.sha256,
            source_part=label.part,
            width=facts.width,
            height=facts.height,
            class_pixel_counts=facts.class_pixel_counts,
            camera=camera,
            render_sha256=render.sha256 if (render := inspection.renders.get(label.path)) else None,
        )
        for label, facts, camera in inspection.labels
    )
    photos = tuple(
        Photo(path=photo.path, part=photo.part, sha256=facts.sha256, width=facts.width, height=facts.height)
        for photo, facts in inspection.photos
    )
    label_paths = {facts.sha256: label.path for label, facts, _ in inspection.labels}
    render_paths = {
        facts.sha256: inspection.renders[label.path].path
        for label, facts, _ in inspection.labels
        if label.path in inspection.renders
    }
    return Prepared(
        records=records,
        label_paths=label_paths,
        render_paths=render_paths,
        photos=photos,
        missing_sets=frozenset(
            path.resolve().name
            for path in (*(each.root for each in inspection.bad_sets), *inspection.waiting_sets)
        ),
        findings=inspection.findings,
    )


def _outside_test(paths: list[tuple[Path, str]]) -> tuple[Path, ...]:
    return tuple(path for path, part in paths if part != "test") or tuple(path for path, _ in paths)


def _write_quarantine(quarantine: Path, inspection: Inspection) -> None:
    bad = [("label", error) for error in inspection.bad_labels]
    bad += [("photograph", error) for error in inspection.bad_photos]
    _write_lines(
        quarantine / BAD_FILES,
        [
            {"file": str(error.path), "kind": kind, "reason": error.reason, "what_to_do": FIX_IMAGE}
            for kind, error in bad
        ],
    )
    _write_lines(
        quarantine / BAD_SETS,
        [
            {"set": str(each.root), "reason": each.reason, "what_to_do": FIX_SET}
            for each in inspection.bad_sets
        ],
    )


def _write_lines(path: Path, values: list[dict[str, str]]) -> None:
    if not values:
        path.unlink(missing_ok=True)
        return
    make_folders(path.parent)
    write_durable(path, "".join(f"{json.dumps(value)}\n" for value in values).encode())
