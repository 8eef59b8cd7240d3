"""Exports a dataset: rows are read and prepared in threads, and written in their order."""

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from manifests.about import read_about
from manifests.decoding import UndecodableError, decode_label
from manifests.exports.classes import ExportClass, ExportClasses, ExportError
from manifests.exports.folder import export_folder, write_report
from manifests.exports.formats import FORMATS, refuse_idle_options
from manifests.exports.regions import Region, regions_of
from manifests.exports.rows import Chosen, chosen, count_rows
from manifests.exports.sample import Export, Facts, Prepared, Sample
from manifests.manifest import Manifest
from manifests.paths import UnsafePathError
from manifests.schema import SPLITS, SampleRecord
from manifests.storage.folder import FolderStore
from manifests.storage.store import Store

__all__ = ["export"]

SHARD_ROWS = 1_000


class _Done(NamedTuple):
    """A row that is ready for its turn."""

    chosen: Chosen
    found: Any
    """What the format made of it."""
    large: Counter[int]
    """Regions by class number."""
    small: Counter[int]


def export(
    manifest: Manifest,
    folder: Path,
    format_name: str,
    *,
    classes: Mapping[str, ExportClass] | None = None,
    splits: Sequence[str] = SPLITS,
    accepted_only: bool = True,
    min_area: int | None = None,
    shard_rows: int | None = None,
    link_images: bool = False,
    overwrite: bool = False,
    num_workers: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Write a version of a dataset in the form of another tool. Equal datasets give equal bytes.

    Args:
        manifest: the dataset.
        folder: where to; new or empty, or an earlier export of the same format.
        format_name: a key of FORMATS.
        classes: by name, in the order of their numbers; None = `default_classes` of the palette.
        splits: which splits to export.
        accepted_only: leave out samples that the quality gates rejected.
        min_area: smaller regions are no instances, px; None = 1.
        shard_rows: samples per file where a format has shards; None = SHARD_ROWS.
        link_images: make hard links to the dataset's images where they are exported as they are and lie on
            the same disk; who changes such a file changes the dataset. Otherwise copies.
        overwrite: replace an earlier export that is whole.
        num_workers: threads; 0 = one per core.
        progress: called with rows done and rows in all, from the calling thread.

    Returns:
        What the report holds, as plain values for JSON.

    Raises:
        ExportError: the folder holds something else, a class does not exist, an option does not concern the
            format, no row is left, or files of a row are missing or damaged.
        LockHeldError: somebody else exports into the folder now.
    """
    kind, facts = FORMATS[format_name], Facts()
    refuse_idle_options(format_name, min_area=min_area, shard_rows=shard_rows, link_images=link_images)
    _refuse_overlap(manifest.store, folder)
    num_rows = count_rows(manifest, splits, accepted_only=accepted_only, facts=facts)
    target = Export(
        store=manifest.store,
        folder=folder,
        classes=ExportClasses(classes, manifest.palette),
        about=read_about(manifest.store),
        num_rows=num_rows,
        shard_rows=shard_rows or SHARD_ROWS,
        links_images=link_images,
    )
    writer = kind.make(target)
    remaining = chosen(
        manifest.table, num_rows, accepted_only=accepted_only, why_not=kind.why_not, facts=facts
    )
    first = next(remaining, None)
    if first is None:
        reasons = ", ".join(f"{num} rows: {reason}" for reason, num in facts.skipped.items())
        raise ExportError(f"No row can be exported as {format_name} ({reasons}); nothing was exported.")

    def work(item: Chosen) -> _Done:
        with _named(item.record):
            sample, small = _sample(target, item, (min_area or 1) if kind.has_regions else None)
            return _Done(item, writer.prepare(sample), Counter(r.index for r in sample.regions), small)

    threads = num_workers or os.cpu_count() or 1
    with (
        export_folder(folder, format_name, overwrite=overwrite),
        ThreadPoolExecutor(threads, thread_name_prefix="export") as pool,
    ):
        done = _in_order(pool, work, chain([first], remaining), num_ahead=4 * threads)
        writer.finish(_counted(done, target.classes.names, facts, sum(num_rows.values()), progress), facts)
        report = _report(manifest, format_name, target, facts)
        write_report(folder, report)
    return report


def _refuse_overlap(store: Store, folder: Path) -> None:
    if not isinstance(store, FolderStore):
        return
    root, out = Path(os.path.realpath(store.root)), Path(os.path.realpath(folder))
    if root.is_relative_to(out) or out.is_relative_to(root):
        raise ExportError(f"{folder} overlaps the dataset {store.root}; choose a folder beside it.")


@contextmanager
def _named(record: SampleRecord) -> Iterator[None]:
    """Say which row it was."""
    try:
        yield
    except (UndecodableError, UnsafePathError, FileNotFoundError, ExportError) as error:
        raise ExportError(
            f"Sample '{record.sample_id}' cannot be exported: {str(error).rstrip('.')}; `seg2real verify "
            "--deep` lists what else is wrong with the dataset."
        ) from error


def _sample(target: Export, item: Chosen, min_area: int | None) -> tuple[Sample, Counter[int]]:
    """A row with its label and its regions, and how many of these were too small; None = it has none."""
    record = item.record
    label = target.store.read(record.label_file_name)
    label_map = decode_label(label)
    if label_map.shape != (record.height, record.width):
        height, width = label_map.shape
        raise ExportError(
            f"its label has {width}x{height} px, and its row says {record.width}x{record.height}"
        )
    if label_map.max(initial=0) >= target.classes.num_ids:
        raise ExportError(
            f"its label holds the class id {label_map.max()}, and the palette ends at "
            f"{target.classes.num_ids - 1}"
        )
    index_map = target.classes.index_map(label_map)
    large: list[Region] = []
    small: Counter[int] = Counter()
    if min_area is not None:
        for region in regions_of(index_map, target.classes):
            if region.area >= min_area:
                large.append(region)
            else:
                small[region.index] += 1
    return Sample(record, item.number, label, label_map, index_map, large), small


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[Chosen], _Done], items: Iterator[Chosen], *, num_ahead: int
) -> Iterator[_Done]:
    """`work` of every item, in their order; a few are under way at a time."""
    pending: deque[Future[_Done]] = deque()
    for item in items:
        pending.append(pool.submit(work, item))
        if len(pending) > num_ahead:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def _counted(
    finished: Iterator[_Done],
    names: Sequence[str],
    facts: Facts,
    total: int,
    progress: Callable[[int, int], None] | None,
) -> Iterator[Prepared]:
    """What was prepared, while facts and progress are told."""
    num_seen = 0
    for item in finished:
        facts.images[item.chosen.record.split] += 1
        for counts, found in ((facts.instances, item.large), (facts.small, item.small)):
            counts.update({names[index - 1]: num for index, num in found.items()})
        yield Prepared(item.chosen.record, item.chosen.number, item.found)
        num_seen = item.chosen.num_seen
        if progress is not None:
            progress(num_seen, total)
    if progress is not None and num_seen < total:
        progress(total, total)


def _report(manifest: Manifest, format_name: str, target: Export, facts: Facts) -> dict[str, Any]:
    kind, classes = FORMATS[format_name], target.classes
    report: dict[str, Any] = {
        "format": format_name,
        "dataset": target.about.name,
        "version": manifest.version,
        "licence": target.about.licence or "not stated",
        "images": facts.images.total(),
        "images_per_split": dict(facts.images),
        "classes": list(classes.names),
    }
    if kind.has_regions:
        report["things"] = [
            name for name, is_thing in zip(classes.names, classes.is_thing, strict=True) if is_thing
        ]
        report["instances"] = {name: facts.instances[name] for name in classes.names}
        report["too_small_for_instances"] = {
            name: num for name in classes.names if (num := facts.small[name])
        }
    if target.placed:
        report["image_files"] = dict(sorted(target.placed.items()))
    return report | {"skipped": dict(facts.skipped)} | facts.notes
