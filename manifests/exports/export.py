"""Exports a dataset: rows are read and prepared in threads, and written in their order."""

import json
import os
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from manifests.decoding import decode_label
from manifests.durable import make_folders, write_durable
from manifests.exports.classes import ExportClass, ExportClasses, ExportError, default_classes
from manifests.exports.coco import Coco, CocoPanoptic
from manifests.exports.huggingface import HuggingFace
from manifests.exports.sample import Export, Facts, Make, Sample
from manifests.exports.semantic import Cityscapes, CycleGan, VisualMesh, Voc
from manifests.exports.webdataset import WebDataset
from manifests.exports.yolo import Yolo
from manifests.manifest import Manifest
from manifests.schema import SPLITS, SampleRecord, from_table

__all__ = ["FORMATS", "REPORT_NAME", "export"]

FORMATS: dict[str, Make] = {
    "coco": Coco,
    "coco-panoptic": CocoPanoptic,
    "yolo": Yolo,
    "voc": Voc,
    "cityscapes": Cityscapes,
    "visualmesh": VisualMesh,
    "webdataset": WebDataset,
    "huggingface": HuggingFace,
    "cyclegan": CycleGan,
}
REPORT_NAME = "export.json"
"""Written last: an export without it is not whole."""
_ROWS_PER_STEP = 1_024


class _Prepared(NamedTuple):
    record: SampleRecord
    found: Any


def export(
    manifest: Manifest,
    folder: Path,
    format_name: str,
    *,
    classes: Mapping[str, ExportClass] | None = None,
    splits: Sequence[str] = SPLITS,
    accepted_only: bool = True,
    min_area: int = 1,
    shard_rows: int = 1_000,
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
        min_area: smaller regions are no instances, px.
        shard_rows: samples per file where a format has shards.
        overwrite: replace an earlier export.
        num_workers: threads; 0 = one per core.
        progress: called with rows done and rows in all, from the calling thread.

    Returns:
        What the report holds, as plain values for JSON.

    Raises:
        ExportError: the folder holds something else, a class does not exist, or no row is left.
        UndecodableError: a label is damaged; the message does not name it, `seg2real verify --deep` does.
    """
    rows = _chosen(manifest, splits, accepted_only)
    present = tuple(split for split in SPLITS if split in splits)
    _clear(folder, format_name, overwrite)
    target = Export(
        folder=folder,
        palette=manifest.palette,
        classes=ExportClasses(
            default_classes(manifest.palette) if classes is None else classes, manifest.palette
        ),
        splits=present,
        num_rows={split: pc.sum(pc.equal(rows["split"], split)).as_py() or 0 for split in present},
        min_area=min_area,
        shard_rows=shard_rows,
    )
    facts = Facts()
    writer = FORMATS[format_name](target)

    def prepare(record: SampleRecord) -> _Prepared:
        label = manifest.store.read(record.label_file_name)
        sample = Sample(record, manifest.store.read(record.image_file_name), label, decode_label(label))
        return _Prepared(record, writer.prepare(sample))

    with ThreadPoolExecutor(num_workers or os.cpu_count() or 1, thread_name_prefix="export") as threads:
        prepared = _in_order(threads, prepare, _records(rows))
        writer.finish(_counted(prepared, rows.num_rows, progress), facts)
    report = _report(manifest, format_name, target, facts)
    write_durable(folder / REPORT_NAME, json.dumps(report, indent=1).encode() + b"\n")
    return report


def _chosen(manifest: Manifest, splits: Sequence[str], accepted_only: bool) -> pa.Table:
    """The rows to export, by split and sample_id."""
    table = manifest.table
    table = table.filter(pc.is_in(table["split"], value_set=pa.array(splits, pa.string())))
    if accepted_only:
        table = table.filter(table["accepted"])
    if not table.num_rows:
        which = "accepted row" if accepted_only else "row"
        raise ExportError(
            f"{manifest.store.location} has no {which} in {', '.join(splits)}; nothing was exported."
        )
    order = pc.index_in(table["split"], value_set=pa.array(SPLITS))
    table = table.append_column("order", order).sort_by([("order", "ascending"), ("sample_id", "ascending")])
    return table.drop_columns("order")


def _clear(folder: Path, format_name: str, overwrite: bool) -> None:
    """Make room for an export, and remove nothing that is not one."""
    if folder.is_dir() and any(folder.iterdir()):
        try:
            earlier = json.loads((folder / REPORT_NAME).read_text(encoding="utf-8"))["format"]
        except (OSError, ValueError, KeyError, TypeError):
            earlier = None
        if earlier != format_name or not overwrite:
            what = f"an export as {earlier}" if earlier else "files that are no export"
            way = "choose another folder" + (", or --overwrite" if earlier == format_name else "")
            raise ExportError(f"{folder} holds {what}; {way}.")
        shutil.rmtree(folder)
    make_folders(folder)


def _records(rows: pa.Table) -> Iterator[SampleRecord]:
    for start in range(0, rows.num_rows, _ROWS_PER_STEP):
        yield from from_table(rows.slice(start, _ROWS_PER_STEP))


def _in_order(
    threads: ThreadPoolExecutor, work: Callable[[SampleRecord], _Prepared], records: Iterator[SampleRecord]
) -> Iterator[_Prepared]:
    """`work` of every record, in their order; a few are under way at a time."""
    pending: deque = deque()
    for record in records:
        pending.append(threads.submit(work, record))
        if len(pending) > 4 * (os.cpu_count() or 1):
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def _counted(
    prepared: Iterator[_Prepared], total: int, progress: Callable[[int, int], None] | None
) -> Iterator[_Prepared]:
    for done, item in enumerate(prepared, 1):
        yield item
        if progress is not None:
            progress(done, total)


def _report(manifest: Manifest, format_name: str, target: Export, facts: Facts) -> dict[str, Any]:
    num_skipped = sum(facts.skipped.values())
    return {
        "format": format_name,
        "dataset": manifest.store.location,
        "version": manifest.version,
        "classes": list(target.classes.names),
        "images": sum(target.num_rows.values()) - num_skipped,
        "rows_per_split": target.num_rows,
        "instances": dict(sorted(Counter(facts.instances).items())),
        "skipped": dict(facts.skipped),
        **facts.notes,
    }
