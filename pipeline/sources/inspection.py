"""Looks into every source file once: hash, size, classes, camera. What is bad gets a reason."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import yaml

from pipeline.config import SourcesConfig
from pipeline.images import BadImageError, decode_image, decode_label, read_bytes
from pipeline.palette import Palette
from pipeline.sources.checks import check_names, check_roles, check_twins, skipped_labels, skipped_photos
from pipeline.sources.facts import ImageFacts
from pipeline.sources.findings import Finding
from pipeline.sources.inspection_cache import InspectionCache
from pipeline.sources.landing import FIX_SET, BadSet, find_bad_sets, waiting_sets
from pipeline.sources.renders import Render, check_renders, usable_render
from pipeline.sources.search import SourceError, SourceLabel, SourcePhoto, find_labels, find_photos

__all__ = ["FoundSources", "Inspection", "find_sources", "inspect_sources"]

MAX_CAMERA_BYTES = 65_536
FIX_IMAGE = "repair or remove the file; the run goes on without it"


class FoundSources(NamedTuple):
    """What lies in the source folders, by name."""

    labels: list[SourceLabel]
    photos: list[SourcePhoto]
    findings: list[Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """All sources after the look inside."""

    labels: tuple[tuple[SourceLabel, ImageFacts, str | None], ...]
    """Good labels, each content once, with the JSON text of their camera."""
    renders: Mapping[Path, Render]
    """Path of a good label -> its render; empty where the run needs none."""
    photos: tuple[tuple[SourcePhoto, ImageFacts], ...]
    """Good photographs, each content once."""
    bad_labels: tuple[BadImageError, ...]
    """Those of bad sets are not among them."""
    bad_photos: tuple[BadImageError, ...]
    num_labels_found: int
    """Good, bad and repeated ones, without those of bad sets."""
    bad_sets: tuple[BadSet, ...]
    """Landed sets of which nothing is used."""
    waiting_sets: tuple[Path, ...]
    """Sets that have not landed yet, or not again."""
    findings: tuple[Finding, ...]


def find_sources(sources: SourcesConfig, *, needs_photos: bool = True) -> FoundSources:
    """Find every label and photograph that the config names, each once, and check their names.

    A folder that is missing or holds nothing known becomes a finding of severity "error", or "warning" where
    it is one of photographs and none are needed.
    """
    labels: dict[Path, SourceLabel] = {}
    photos: dict[Path, SourcePhoto] = {}
    findings = []
    for root in sources.labels:
        try:
            labels |= {label.path: label for label in find_labels(root) if label.path not in labels}
            findings += [*check_twins(root), *skipped_labels(root)]
        except SourceError as error:
            findings.append(_no_source(error, "labels", "error"))
    for root in sources.photos:
        try:
            photos |= {photo.path: photo for photo in find_photos(root) if photo.path not in photos}
            # A file of the labels' own is not left out.
            findings += [finding for finding in skipped_photos(root) if finding.path not in labels]
        except SourceError as error:
            findings.append(_no_source(error, "photos", "error" if needs_photos else "warning"))
    findings += check_names(labels.values())
    findings += check_roles(labels.values(), photos.values())
    return FoundSources(list(labels.values()), list(photos.values()), findings)


def inspect_sources(
    found: FoundSources,
    sources: SourcesConfig,
    palette: Palette,
    cache: InspectionCache,
    *,
    needs_renders: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Inspection:
    """Hash and decode every file in threads.

    Args:
        found: what to look into.
        sources: limits and options.
        palette: of the labels.
        cache: what earlier runs found; the caller saves it.
        needs_renders: True = a label without its render cannot be used.
        progress: called with (files done, files in all).
    """

    def label_facts(label: SourceLabel) -> ImageFacts | BadImageError:
        return _facts("label", label.path, lambda: _inspect_label(label.path, sources, palette), cache)

    def photo_facts(photo: SourcePhoto) -> ImageFacts | BadImageError:
        return _facts("photo", photo.path, lambda: _inspect_photo(photo.path, sources), cache)

    def render_facts(path: Path) -> ImageFacts | BadImageError:
        return _facts("photo", path, lambda: _inspect_photo(path, sources), cache)

    def camera_text(label: SourceLabel) -> str | BadImageError | None:
        path = label.camera_path
        if path is None:
            return None
        try:
            return cache.look("camera", path, lambda: _read_camera(path))
        except BadImageError as error:
            return error

    rendered = [label for label in found.labels if label.render_path is not None]
    num_labels, num_photos = len(found.labels), len(found.photos)
    total = num_labels + num_photos + len(rendered)
    if progress is not None:
        progress(0, total)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="inspect") as pool:
        cameras = list(pool.map(camera_text, found.labels))
        of_labels = _counted(pool.map(label_facts, found.labels), 0, total, progress)
        of_photos = _counted(pool.map(photo_facts, found.photos), num_labels, total, progress)
        of_renders = _counted(
            pool.map(render_facts, (label.render_path for label in rendered)),
            num_labels + num_photos,
            total,
            progress,
        )

    findings = list(found.findings)
    findings += [
        Finding("bad-camera", "warning", error.path, error.reason, "repair it; the camera is left out")
        for error in dict.fromkeys(camera for camera in cameras if isinstance(camera, BadImageError))
    ]
    render_facts_of = {label.path: facts for label, facts in zip(rendered, of_renders, strict=True)}
    renders: dict[Path, Render] = {}
    if needs_renders:
        of_labels, renders = _with_renders(found.labels, of_labels, render_facts_of)
    else:
        facts_of = {label.path: facts for label, facts in zip(found.labels, of_labels, strict=True)}
        pairs = [(label.render_path, facts_of[label.path], render_facts_of[label.path]) for label in rendered]
        findings += check_renders(pairs, {photo.path for photo in found.photos})
    facts = dict(zip(found.labels, of_labels, strict=True))
    bad_sets = find_bad_sets(sources.labels, facts, sources.max_bad_fraction)
    findings += [Finding("bad-set", "warning", each.root, each.reason, FIX_SET) for each in bad_sets]
    bad_roots = {each.root for each in bad_sets}
    facts = {label: known for label, known in facts.items() if label.set_root not in bad_roots}
    labels = _unique(facts, facts.values(), "label", findings)
    photos = _unique(found.photos, of_photos, "photograph", findings)
    camera_of = dict(zip((label.path for label in found.labels), cameras, strict=True))
    return Inspection(
        labels=tuple(
            (label, facts, camera if isinstance(camera := camera_of[label.path], str) else None)
            for label, facts in labels
        ),
        renders=renders,
        photos=tuple(photos),
        bad_labels=tuple(known for known in facts.values() if isinstance(known, BadImageError)),
        bad_photos=tuple(known for known in of_photos if isinstance(known, BadImageError)),
        num_labels_found=len(facts),
        bad_sets=tuple(bad_sets),
        waiting_sets=tuple(waiting_sets(sources.labels)),
        findings=tuple(findings),
    )


def _with_renders(
    labels: Sequence[SourceLabel],
    of_labels: Sequence[ImageFacts | BadImageError],
    of_renders: Mapping[Path, ImageFacts | BadImageError],
) -> tuple[list[ImageFacts | BadImageError], dict[Path, Render]]:
    """Facts of the labels, bad where the render is, and the renders of the good ones by the label's path."""
    facts, renders = [], {}
    for label, of_label in zip(labels, of_labels, strict=True):
        if isinstance(of_label, ImageFacts):
            render = usable_render(label, of_label, of_renders.get(label.path))
            if isinstance(render, Render):
                renders[label.path] = render
            else:
                of_label = render
        facts.append(of_label)
    return facts, renders


def _no_source(error: SourceError, setting: str, severity: Literal["error", "warning"]) -> Finding:
    return Finding("no-source", severity, error.root, error.reason, f"correct sources.{setting}")


def _facts(
    kind: str, path: Path, inspect: Callable[[], dict[str, Any]], cache: InspectionCache
) -> ImageFacts | BadImageError:
    try:
        facts = cache.look(kind, path, inspect)
    except BadImageError as error:
        return error
    counts = facts["class_pixel_counts"]
    return ImageFacts(**{**facts, "class_pixel_counts": None if counts is None else tuple(counts)})


def _inspect_label(path: Path, sources: SourcesConfig, palette: Palette) -> dict[str, Any]:
    data = _named_bytes(path)
    label_map = decode_label(
        data,
        palette,
        path,
        max_megapixels=sources.max_megapixels,
        antialiased_edges=sources.antialiased_edges,
    )
    counts = np.bincount(label_map.ravel(), minlength=palette.num_classes)
    return _as_facts(data, label_map, tuple(counts.tolist()))


def _inspect_photo(path: Path, sources: SourcesConfig) -> dict[str, Any]:
    data = _named_bytes(path)
    return _as_facts(data, decode_image(data, path, max_megapixels=sources.max_megapixels), None)


def _as_facts(data: bytes, image: np.ndarray, counts: tuple[int, ...] | None) -> dict[str, Any]:
    return asdict(ImageFacts(hashlib.sha256(data).hexdigest(), image.shape[1], image.shape[0], counts))


def _named_bytes(path: Path) -> bytes:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise BadImageError(path, "its name is no valid UTF-8; rename it") from None
    return read_bytes(path)


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases, by which a small file could unfold to gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it uses aliases")
        return super().compose_node(parent, index)


def _read_camera(path: Path) -> str:
    data = _named_bytes(path)
    if len(data) > MAX_CAMERA_BYTES:
        raise BadImageError(
            path, f"camera metadata of {len(data)} bytes; at most {MAX_CAMERA_BYTES} are read"
        )
    try:
        return json.dumps(yaml.load(data, _PlainLoader), sort_keys=True)
    except (yaml.YAMLError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise BadImageError(path, f"camera metadata that cannot be read ({reason})") from error


def _counted(
    results: Iterable[Any], offset: int, total: int, progress: Callable[[int, int], None] | None
) -> list[Any]:
    listed = []
    for result in results:
        listed.append(result)
        if progress is not None:
            progress(offset + len(listed), total)
    return listed


def _unique(
    found: Iterable[Any], facts: Iterable[ImageFacts | BadImageError], kind: str, findings: list[Finding]
) -> list[tuple[Any, ImageFacts]]:
    """The good ones, each content once; the others become findings."""
    first: dict[str, tuple[Any, ImageFacts]] = {}
    for item, known in zip(found, facts, strict=True):
        if isinstance(known, BadImageError):
            findings.append(Finding(f"bad-{kind}", "warning", item.path, known.reason, FIX_IMAGE))
        elif known.sha256 in first:
            what = f"the same bytes as {first[known.sha256][0].path}"
            findings.append(
                Finding("duplicate-content", "warning", item.path, what, "remove one; the first is used")
            )
        else:
            first[known.sha256] = (item, known)
    return list(first.values())
