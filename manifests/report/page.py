"""report/index.html: a dataset to look at, as one page that asks nobody for anything.

What a page shows comes from others: file names, reasons, words. The template escapes all of it, the page's
policy allows no script and no style but its own two, by their hashes, and no address but data: for pictures.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa
from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from manifests.about import read_about
from manifests.decoding import decode_image
from manifests.info import DatasetInfo, summarise
from manifests.manifest import Manifest
from manifests.report.choice import choose_rows
from manifests.report.distributions import (
    class_bars,
    reject_kinds,
    score_columns,
    score_histogram,
    size_bars,
    split_bars,
)
from manifests.report.thumbnails import draw_thumbnails, picture_uri
from manifests.report.training import read_curves

__all__ = ["PAGE_NAME", "report_page", "write_report"]

PAGE_NAME = "report/index.html"
_FOLDERS_UP = "../" * PAGE_NAME.count("/")
_MAX_PREVIEW_BYTES = 300_000
_PREVIEW_SIDES_PX = (1600, 1200, 900, 600, 400)
_MAX_TEXT = 600
"""Characters of a value that a card shows."""


def write_report(
    manifest: Manifest,
    *,
    max_samples: int = 500,
    metrics: bytes | None = None,
    preview: bytes | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> str:
    """Write the page into the dataset's own place, and return its name there. Arguments: `report_page`."""
    page = report_page(manifest, max_samples=max_samples, metrics=metrics, preview=preview, progress=progress)
    manifest.store.replace(PAGE_NAME, page)
    return PAGE_NAME


def report_page(
    manifest: Manifest,
    *,
    max_samples: int = 500,
    metrics: bytes | None = None,
    preview: bytes | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> bytes:
    """The page of a version; the same version and arguments give the same bytes.

    A file that is missing or damaged is told on the page, and does not keep it from being drawn.

    Args:
        manifest: the version.
        max_samples: rows to show, 1 or more; of a larger dataset the rejected ones and evenly spread others.
        metrics: metrics.jsonl of the training run behind it.
        preview: its newest preview, a PNG or JPEG.
        progress: told of rows read, and of how many there are to read.

    Returns:
        HTML in UTF-8, about 20 kB a sample at most.

    Raises:
        UndecodableError: the preview is no picture.
    """
    table, store = manifest.table, manifest.store
    classes = manifest.palette.get("classes", [])
    info, scores = summarise(store, table), score_columns(table.schema)
    positions = choose_rows(table["accepted"].to_numpy(), max_samples)
    rows = table.take(pa.array(positions, pa.int64())).to_pylist()
    cards = []
    with ThreadPoolExecutor(thread_name_prefix="report") as threads:
        for card in threads.map(lambda row: _card(store, row, classes, scores), rows):
            cards.append(card)
            if progress is not None:
                progress(len(cards), len(rows))
    style, script = _part("page.css"), _part("page.js")
    histograms = [histogram for name in scores if (histogram := score_histogram(table, name))]
    page = _environment().get_template("page.html")
    text = page.render(
        style=Markup(style),  # our own two files, which the policy names by their hashes
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        about=read_about(store),
        info=info,
        facts=_facts(info),
        reject_kinds=reject_kinds(info.samples_per_reject_reason),
        unreadable=[card for card in cards if card["fault"]],
        cards=cards,
        classes=_classes(classes),
        num_shown_rejected=sum(not card["accepted"] for card in cards),
        splits=split_bars(table),
        class_bars=class_bars(table, classes),
        sizes=size_bars(info.samples_per_size),
        histograms=histograms,
        scores=scores,
        curves=read_curves(metrics or b""),
        preview=picture_uri(decode_image(preview), _MAX_PREVIEW_BYTES, max_sides_px=_PREVIEW_SIDES_PX)
        if preview
        else "",
    )
    return text.encode()


def _card(
    store: Any, row: dict[str, Any], classes: list[dict[str, Any]], scores: list[str]
) -> dict[str, Any]:
    """What the template needs of a row."""
    thumbnails = draw_thumbnails(store, row, classes)
    counts = np.array(row["class_pixel_counts"][: len(classes)])
    shares = counts / max(counts.sum(), 1)
    return {
        "id": row["sample_id"],
        "width": row["width"],
        "height": row["height"],
        "split": row["split"],
        "accepted": row["accepted"],
        "reject_reason": row["reject_reason"] or "",
        "image": thumbnails.image,
        "label": thumbnails.label,
        "mask": thumbnails.mask,
        "fault": thumbnails.fault,
        "class_ids": np.flatnonzero(counts).tolist(),
        "class_shares": [(number, f"{shares[number]:.1%}") for number in np.flatnonzero(counts)],
        "scores": [(name, row[name]) for name in scores if row[name] is not None],
        "scores_json": json.dumps({name: row[name] for name in scores if _is_finite(row[name])}),
        "links": [] if thumbnails.fault else _links(row),
        "details": _details(row),
    }


def _is_finite(value: float | None) -> bool:
    return value is not None and bool(np.isfinite(value))


def _links(row: dict[str, Any]) -> list[tuple[str, str]]:
    """To the files as they lie in the dataset; their names have been found to lead nowhere else."""
    return [(kind, _FOLDERS_UP + quote(row[f"{kind}_file_name"])) for kind in ("image", "label")]


def _details(row: dict[str, Any]) -> list[tuple[str, str]]:
    values = {
        "rejected": row["reject_reason"],
        "source label": row["source_label"],
        "source set": row["source_set"],
        "split": row["split"],
        "size": f"{row['width']} x {row['height']} px",
        "method": row["method"],
        "snapshot": f"{row['snapshot_name']} ({row['snapshot_sha256'][:8]})",
        "seed, variant": f"{row['seed']}, {row['variant']}",
        "camera": row["camera"],
    }
    return [(name, value[:_MAX_TEXT]) for name, value in values.items() if value]


def _facts(info: DatasetInfo) -> list[tuple[str, str]]:
    """The figures at the top of the page."""
    return [
        ("images", f"{info.num_samples:,}"),
        ("accepted", f"{info.num_accepted:,}"),
        ("labels", f"{info.num_source_labels:,}"),
        ("classes", f"{len(info.class_pixel_fractions):,}"),
        ("size", _bytes(info.num_bytes)),
    ]


def _bytes(num: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if num >= size:
            return f"{num / size:.1f} {unit}"
    return f"{num / 1e3:.1f} kB"


def _classes(classes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"name": entry["name"], "color": "#{:02x}{:02x}{:02x}".format(*entry["color"])} for entry in classes
    ]


def _environment() -> Environment:
    templates = {name: _part(name) for name in ("page.html", "charts.html", "card.html")}
    environment = Environment(
        loader=DictLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = lambda value: f"{value:.4g}"
    return environment


def _part(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Of an inline script or style, as a Content-Security-Policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
