"""Everything that can go wrong before GPU time, found at once. Imports no torch and writes nothing."""

import math
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import yaml

from gan.config import RESUMABLE_CHANGES
from pipeline.base_snapshot import base_fault
from pipeline.config import RunConfig
from pipeline.drawn_size import drawn_size, undrawable
from pipeline.geometry import cover_scale
from pipeline.palette import Palette
from pipeline.preprocess import noise_table
from pipeline.snapshot_files import finished_snapshot, numbered_files
from pipeline.sources.findings import Finding
from pipeline.sources.inspection import FoundSources, Inspection, find_sources, inspect_sources
from pipeline.sources.inspection_cache import InspectionCache
from pipeline.sources.limits import too_many_bad

__all__ = ["Finding", "validate"]

MAX_ENLARGEMENT = 2.0
"""Labels and photographs that training must enlarge further than this have too little detail."""
MAX_ASPECT_RATIO_QUOTIENT = 1.25
"""Above it, training crops away much more of one domain than of the other."""
IMAGE_BYTES_PER_PX = {"png": 1.8, "jpg": 0.45}
LABEL_BYTES_PER_PX = 0.05


def validate(
    config: RunConfig, *, cache: Path | None = None, progress: Callable[[int, int], None] | None = None
) -> list[Finding]:
    """Check a run's palette, noise, sources, sizes and places.

    Args:
        config: the run.
        cache: what `prepare` remembers of good files, read and never written; None = the run's own.
        progress: called with (files done, files in all).

    Returns:
        Findings, errors first. Without an error the run can do its job.
    """
    findings = [*_check_places(config)]
    try:
        palette = config.read_palette()
    except ValueError as error:
        findings.append(_error("bad-palette", config.palette, error, "correct the palette file"))
        palette = None
    if palette is not None:
        try:
            noise_table(palette, config.color_noise)
        except ValueError as error:
            fix = "lower noise.amount to that, or give the classes colours further apart"
            findings.append(_error("noise-confuses-classes", config.palette, error, fix))
        findings += _check_output(config, palette)
        findings += _check_scenes(config, palette)
        findings += _check_checkpoint(config)
        findings += _check_base(config)
        found = find_sources(config.sources)
        remembered = InspectionCache(cache or config.run_dir / "sources.json", config.sources, palette)
        inspection = inspect_sources(
            found,
            config.sources,
            palette,
            remembered,
            needs_renders=config.train.conditioning == "render",
            progress=progress,
        )
        findings += inspection.findings
        findings += _check_amounts(config, found, inspection)
        findings += _check_sizes(config, inspection)
        findings += _check_drawn_sizes(config, inspection)
        findings += _check_classes(config, palette, inspection)
        findings += _check_space(config, inspection)
    return sorted(findings, key=lambda finding: finding.severity)


def _error(code: str, path: Path, error: Exception, fix: str) -> Finding:
    what = getattr(error, "strerror", None) or str(error).rstrip(".")
    return Finding(code, "error", path, what, fix)


def _check_places(config: RunConfig) -> Iterator[Finding]:
    for setting, folder in (("output", config.output), ("run_dir", config.run_dir)):
        place = _existing(folder)
        if not place.is_dir():
            yield Finding(
                "no-folder", "error", place, f"{setting} would lie in it, but it is a file", "rename it"
            )
        elif not os.access(place, os.W_OK | os.X_OK):
            what = f"{setting} would be written there, but this user may not"
            yield Finding("no-permission", "error", place, what, f"change its permissions or {setting}")
    if config.output == config.run_dir:
        what = "output and run_dir are the same folder"
        yield Finding("one-folder", "error", config.output, what, "give the dataset a folder of its own")


def _check_output(config: RunConfig, palette: Palette) -> Iterator[Finding]:
    if not (config.output / "metadata.parquet").is_file():
        return
    # Only here: pyarrow takes longer to import than all the rest.
    from pipeline.publish import output_conflict

    try:
        conflict = output_conflict(config.output, palette)
    except (OSError, ValueError) as error:
        fix = "run `seg2real verify` on it, or choose another output"
        yield _error("bad-output", config.output, error, fix)
        return
    if conflict is not None:
        yield Finding("output-conflict", "error", config.output, conflict, "choose another output")


def _check_base(config: RunConfig) -> Iterator[Finding]:
    path, fault = config.train.from_snapshot, base_fault(config)
    if path is not None and fault is not None:
        fix = "correct train.from_snapshot, or leave it out to train from nothing"
        yield Finding("bad-base", "error", path, fault, fix)


def _check_scenes(config: RunConfig, palette: Palette) -> Iterator[Finding]:
    if config.scenes is None:
        return
    from pipeline.scenes.drawing import SCENES_FOLDER, other_scenes
    from pipeline.scenes.rendering import SceneError, class_ids

    try:
        class_ids(palette)
    except SceneError as error:
        fix = "add them to the palette, or drop the section scenes"
        yield _error("scenes-palette", config.palette, error, fix)
        return
    folder = config.run_dir / SCENES_FOLDER
    conflict = other_scenes(folder, config.scenes, palette)
    if conflict is not None:
        fix = "choose another run_dir, or remove this folder to have them drawn anew"
        yield Finding("other-scenes", "error", folder, conflict, fix)


def _check_checkpoint(config: RunConfig) -> Iterator[Finding]:
    """A checkpoint of other settings; the run's own record of its settings says which."""
    if not numbered_files(config.run_dir / "checkpoints", "checkpoint", "pt"):
        return
    if base_fault(config) is not None or finished_snapshot(config):  # the first is a finding of its own
        return
    record = config.run_dir / "config.yaml"
    try:
        held = yaml.safe_load(record.read_text(encoding="utf-8"))
        trained = {section: dict(held[section]) for section in ("train", "noise")}
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError):
        return
    changed = [
        f"{section}.{key} was {values.get(key)!r} and is now {value!r}"
        for section, values in trained.items()
        for key, value in getattr(config, section).model_dump(mode="json").items()
        if key not in RESUMABLE_CHANGES and value != values.get(key)
    ]
    if changed:
        what = f"its checkpoint is of a run with other settings: {', '.join(changed)}"
        yield Finding(
            "other-settings", "error", config.run_dir, what, "set them back, or choose another run_dir"
        )


def _check_amounts(config: RunConfig, found: FoundSources, inspection: Inspection) -> Iterator[Finding]:
    scenes = config.scenes
    brings_labels = bool(config.sources.landing or (scenes and scenes.num))
    brings_photos = bool(scenes and scenes.num_photos)
    for kind, setting, num_found, bad, is_brought in (
        ("labels", "labels", inspection.num_labels_found, inspection.bad_labels, brings_labels),
        ("photographs", "photos", len(found.photos), inspection.bad_photos, brings_photos),
    ):
        if num_found == 0 and (is_brought or any(f.severity == "error" for f in found.findings)):
            continue
        fault = too_many_bad(kind, num_found, bad, config.sources.max_bad_fraction)
        if fault is not None:
            roots = getattr(config.sources, setting)
            code = "too-many-bad" if num_found else f"no-{setting}"
            yield Finding(
                code, "error", roots[0] if roots else Path("sources"), fault, f"correct sources.{setting}"
            )


def _check_sizes(config: RunConfig, inspection: Inspection) -> Iterator[Finding]:
    train = config.train
    for kind, items in (("labels", inspection.labels), ("photographs", inspection.photos)):
        small = [
            (item.path, facts)
            for item, facts, *_ in items
            if cover_scale(facts.width, facts.height, train.width, train.height) > MAX_ENLARGEMENT
        ]
        if small:
            path, facts = small[0]
            what = (
                f"{len(small)} of {len(items)} {kind} are less than half as large as the training crop of "
                f"{train.width} x {train.height} px, this one {facts.width} x {facts.height}"
            )
            yield Finding("small-images", "warning", path, what, "lower train.width and train.height")
    if inspection.labels and inspection.photos:
        label_ratio = float(np.median([f.width / f.height for _, f, _ in inspection.labels]))
        photo_ratio = float(np.median([f.width / f.height for _, f in inspection.photos]))
        if max(label_ratio / photo_ratio, photo_ratio / label_ratio) > MAX_ASPECT_RATIO_QUOTIENT:
            what = (
                f"labels are {label_ratio:.2f} times as wide as high (median), photographs "
                f"{photo_ratio:.2f}: training crops the two differently"
            )
            fix = "crop the files to one aspect ratio, or set train.width and train.height between the two"
            yield Finding("aspect-ratios", "warning", inspection.labels[0][0].set_root, what, fix)


def _check_drawn_sizes(config: RunConfig, inspection: Inspection) -> Iterator[Finding]:
    found = undrawable(config, _labels(config, inspection))
    if found is not None:
        yield Finding("undrawable-size", "error", *found)


def _check_classes(config: RunConfig, palette: Palette, inspection: Inspection) -> Iterator[Finding]:
    counts = [facts.class_pixel_counts for _, facts, _ in inspection.labels]
    if not counts:
        return
    is_missing = (np.sum(counts, axis=0) == 0) & ~palette.is_ignored
    if is_missing.any():
        names = ", ".join(name for name, missing in zip(palette.names, is_missing, strict=True) if missing)
        fix = "check that the palette belongs to these labels, or leave it if they just show none"
        yield Finding("unused-classes", "warning", config.palette, f"no label has a pixel of {names}", fix)


def _check_space(config: RunConfig, inspection: Inspection) -> Iterator[Finding]:
    needed = _expected_bytes(config, inspection)
    place = _existing(config.output)
    free = shutil.disk_usage(place).free
    if needed > free:
        what = f"the dataset takes about {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free"
        fix = "free some space, choose another output, or lower generate.variants or set image_format jpg"
        yield Finding("disk-space", "error", place, what, fix)


def _expected_bytes(config: RunConfig, inspection: Inspection) -> float:
    """Of the images and labels to generate, by the usual size of a compressed pixel."""
    bytes_per_px = IMAGE_BYTES_PER_PX[config.generate.image_format] + LABEL_BYTES_PER_PX
    num_px = sum(math.prod(drawn_size(config, *size)) for _, *size in _labels(config, inspection))
    return num_px * config.generate.variants * bytes_per_px


def _labels(config: RunConfig, inspection: Inspection) -> Iterator[tuple[Path, int, int]]:
    """Path, width and height of each label, those to be drawn first by the folder of all."""
    scenes = config.scenes
    if scenes is not None:
        from pipeline.scenes.drawing import SCENES_FOLDER

        yield from [(config.run_dir / SCENES_FOLDER, scenes.width, scenes.height)] * scenes.num
    yield from ((label.path, facts.width, facts.height) for label, facts, _ in inspection.labels)


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next(place for place in (path, *path.parents) if place.exists())
