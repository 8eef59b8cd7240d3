"""The page: what a dataset holds, what is wrong with it, and its samples, worst first."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from typing import Any

import jinja2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from manifests.about import read_about
from manifests.decoding import UndecodableError, decode_image, decode_label
from manifests.info import describe
from manifests.manifest import Manifest
from manifests.report import charts
from manifests.report.thumbnails import image_uri, label_uri, mask_uri, picture_uri

__all__ = ["REPORT_PATH", "Training", "report_page", "write_report"]

REPORT_PATH = "report/index.html"
NOT_SCORES = {"width", "height", "image_bytes", "label_bytes", "seed", "variant"}
"""Numbers that say nothing of quality."""
MAX_CURVE_POINTS = 200


@dataclass(frozen=True)
class Training:
    """How the training that drew the images went."""

    metrics: Sequence[Mapping[str, Any]] = ()
    """Lines of a run's metrics.jsonl."""
    preview: bytes | None = None
    """PNG of the newest preview."""


def write_report(
    manifest: Manifest,
    *,
    max_samples: int = 500,
    training: Training | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> str:
    """Write the page of a dataset's version beside it; its name in the store. See `report_page`."""
    page = report_page(manifest, max_samples=max_samples, training=training, progress=progress)
    manifest.store.replace(REPORT_PATH, page)
    return REPORT_PATH


def report_page(
    manifest: Manifest,
    *,
    max_samples: int = 500,
    training: Training | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> bytes:
    """One HTML page with everything in it; the same dataset gives the same bytes.

    Args:
        manifest: the version to show.
        max_samples: of more rows, rejected ones and then evenly spread ones are shown.
        training: what is known of it, if anything.
        progress: called with samples done and samples in all.
    """
    training = training or Training()
    rows = _chosen(manifest.table, max_samples)
    scores = _scores(manifest.table)
    samples = []
    with ThreadPoolExecutor(thread_name_prefix="report") as threads:
        found = threads.map(lambda row: _sample(manifest, row, scores), rows.to_pylist())
        for number, sample in enumerate(found, 1):
            samples.append(sample)
            if progress is not None:
                progress(number, rows.num_rows)
    data = {
        "classes": [
            {"name": entry["name"], "color": entry["color"]} for entry in manifest.palette.get("classes", [])
        ],
        "scores": scores,
        "samples": samples,
    }
    text = _template().render(
        about=read_about(manifest.store),
        info=describe(manifest.store),
        version=manifest.version,
        num_shown=len(samples),
        num_rows=manifest.table.num_rows,
        rejected=_reasons(manifest.table),
        charts=_charts(manifest, scores),
        curve=_curve(training.metrics),
        preview=picture_uri(training.preview, "png") if training.preview else None,
        style=Markup(_file("page.css")),
        script=Markup(_file("page.js")),
        script_hash=base64.b64encode(hashlib.sha256(_file("page.js").encode()).digest()).decode(),
        data=Markup(_as_script(data)),
    )
    return text.encode()


def _chosen(table: pa.Table, max_samples: int) -> pa.Table:
    """Rejected rows first, then accepted ones; of each kind evenly spread ones where there are too many."""
    is_accepted = table["accepted"]
    rejected, accepted = table.filter(pc.invert(is_accepted)), table.filter(is_accepted)
    rejected = _spread(rejected, max_samples)
    return pa.concat_tables([rejected, _spread(accepted, max_samples - rejected.num_rows)])


def _spread(table: pa.Table, num: int) -> pa.Table:
    if table.num_rows <= num:
        return table
    return table.take(pa.array(np.linspace(0, table.num_rows - 1, num).round().astype(np.int64)))


def _scores(table: pa.Table) -> list[str]:
    """Columns of numbers that can be sorted and filtered by."""
    return [
        field.name
        for field in table.schema
        if (pa.types.is_floating(field.type) or pa.types.is_integer(field.type))
        and field.name not in NOT_SCORES
    ]


def _sample(manifest: Manifest, row: dict[str, Any], scores: Sequence[str]) -> dict[str, Any]:
    palette = manifest.palette["classes"]
    counts, num_pixels = row["class_pixel_counts"], max(row["width"] * row["height"], 1)
    sample = {
        "id": row["sample_id"],
        "file": row["image_file_name"],
        "source": row["source_label"],
        "set": row["source_set"],
        "split": row["split"],
        "accepted": row["accepted"],
        "reason": row["reject_reason"] or "",
        "size": f"{row['width']} x {row['height']}",
        "variant": row["variant"],
        "shares": [round(count / num_pixels, 5) for count in counts],
        "scores": [None if row[name] is None else round(float(row[name]), 5) for name in scores],
    }
    try:
        pixels = decode_image(manifest.store.read(row["image_file_name"]))
        label_map = decode_label(manifest.store.read(row["label_file_name"]))
    except (OSError, UndecodableError) as error:
        return sample | {"broken": str(error)}
    colors = np.array([entry["color"] for entry in palette], np.uint8)
    is_background = np.array([bool(entry.get("background")) for entry in palette])
    return sample | {
        "image": image_uri(pixels),
        "label": label_uri(label_map, colors),
        "mask": mask_uri(label_map, is_background),
    }


def _reasons(table: pa.Table) -> list[tuple[str, int]]:
    counts = pc.value_counts(table["reject_reason"].drop_null()).to_pylist()
    return sorted(((entry["values"], entry["counts"]) for entry in counts), key=lambda pair: -pair[1])


def _charts(manifest: Manifest, scores: Sequence[str]) -> list[tuple[str, Markup]]:
    info, palette = describe(manifest.store), manifest.palette.get("classes", [])
    colors = [f"rgb({','.join(map(str, entry['color']))})" for entry in palette]
    shares = {name: 100 * share for name, share in info.class_pixel_fractions.items()}
    found = [
        ("Pixels of each class", charts.bars(shares, colors=colors, form="{:.2f} %")),
        ("Accepted images per split", charts.bars(info.samples_per_split)),
        ("Sizes in px", charts.bars(dict(list(info.samples_per_size.items())[:8]))),
        ("Snapshots", charts.bars(dict(list(info.samples_per_snapshot.items())[:8]))),
    ]
    for name in scores:
        values = manifest.table[name].drop_null().to_pylist()
        if values:
            found.append((name.replace("_", " "), charts.histogram(values)))
    return [(title, Markup(svg)) for title, svg in found]


def _curve(metrics: Sequence[Mapping[str, Any]]) -> Markup | None:
    """How often discriminators were right, and adherence where it was measured."""
    series = {}
    for key in ("accuracy_a", "accuracy_b", "adherence_ema", "adherence_raw"):
        points = [
            (line["num_images_seen"], line[key])
            for line in metrics
            if isinstance(line.get(key), int | float) and "num_images_seen" in line
        ]
        if points:
            series[key.replace("_", " ")] = points[:: -(-len(points) // MAX_CURVE_POINTS)]
    return Markup(charts.lines(series, unit="images")) if series else None


def _as_script(data: dict[str, Any]) -> str:
    """JSON that can stand in a script element whatever its texts are."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_file("page.html"))


def _file(name: str) -> str:
    return resources.files("manifests.report").joinpath(name).read_text(encoding="utf-8")
