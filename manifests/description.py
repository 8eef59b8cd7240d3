"""Tells people and tools what a dataset is: README.md, the dataset card, and croissant.json."""

import hashlib
import json
import re
from typing import Any

from manifests.about import About, read_about
from manifests.card import CARD_NAME, FIRST_CARD, FRONT_MATTER
from manifests.croissant import CROISSANT_NAME, croissant
from manifests.info import DatasetInfo, describe
from manifests.reader import TABLE_NAME, read_schema
from manifests.schema import palette_of
from manifests.storage.opening import Root, open_store
from manifests.storage.store import Store
from manifests.versions import VersionRecord, read_version, version_numbers

__all__ = ["card_text", "describe_dataset"]

_MARK = re.compile(rb"\n<!-- seg2real wrote this: ([0-9a-f]{64}) -->\n\Z")
_NUM_VERSIONS = 10
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_NO_LICENCE = "The licence was not stated; that of the sources counts."
_LICENCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")


def describe_dataset(root: Root | Store) -> None:
    """Renew README.md and croissant.json of a dataset from its newest version.

    A README.md that a person has written or changed stays. Neither file is part of a commit: killed before,
    they tell of the version before, until somebody calls this again.

    Raises:
        ManifestError: there is no dataset, or a file of it is damaged.
    """
    store = open_store(root)
    info, about = describe(store), read_about(store)
    records = [read_version(store, number) for number in version_numbers(store)[-_NUM_VERSIONS:]]
    text = card_text(info, about, palette_of(read_schema(store)), records).encode()
    if _is_ours(_read(store, CARD_NAME)):
        _replace(store, CARD_NAME, text + _mark(text))
    described = croissant(info, about, store.read(TABLE_NAME))
    _replace(store, CROISSANT_NAME, json.dumps(described, indent=1).encode() + b"\n")


def card_text(info: DatasetInfo, about: About, palette: dict[str, Any], versions: list[VersionRecord]) -> str:
    """The dataset card as Markdown with front matter for Hugging Face."""
    classes = [
        (entry["name"], entry["color"], info.class_pixel_fractions[entry["name"]])
        for entry in palette["classes"]
    ]
    methods = ", ".join(info.samples_per_method) or "none"
    rejected = ", ".join(f"{num} {reason}" for reason, num in info.samples_per_reject_reason.items())
    parts = [
        _front_matter(about, info.num_samples),
        f"# {about.name}",
        about.description,
        f"{info.num_samples} images of {info.num_source_labels} labels, {info.num_bytes / 1e6:.1f} MB, "
        f"version {info.version}. {info.num_samples - info.num_accepted} were rejected by the quality checks"
        + (f" ({rejected})." if rejected else "."),
        "Each row of `metadata.parquet` pairs an image that a network has drawn (`image_file_name`) with "
        "the label that it was drawn for (`label_file_name`: a palette PNG whose indices are class ids), and "
        "says how it was made. The column `split` says which rows are for training, validation and testing; "
        "rows with `accepted` false failed a quality check.",
        "```python\nfrom datasets import load_dataset\n\n"
        'rows = load_dataset("path/of/this/folder", split="train")\n'
        'rows = rows.filter(lambda row: row["accepted"] and row["split"] == "train")\n'
        'rows[0]["image"], rows[0]["label"]\n```',
        _table("split", "accepted images", [(split, num) for split, num in info.samples_per_split.items()]),
        _table(
            "id",
            "class",
            "colour (RGB)",
            "share of pixels",
            [
                (number, name, " ".join(map(str, color)), f"{share:.2%}")
                for number, (name, color, share) in enumerate(classes)
            ],
        ),
        "## Where it comes from",
        f"Method: {methods}. Snapshots: {', '.join(info.samples_per_snapshot) or 'none'}. Sizes in px: "
        f"{', '.join(info.samples_per_size) or 'none'}.",
        about.sources or "Where labels and photographs came from was not stated.",
        f"Licence: {about.licence}."
        if about.licence
        else "The licence was not stated; that of the sources counts.",
        "## Versions",
        _table(
            "version",
            "time (UTC)",
            "rows",
            "came",
            "went",
            "what changed",
            [
                (v.version, f"{v.created:%Y-%m-%d %H:%M}", v.rows, v.added, v.removed, _cell(v.message))
                for v in reversed(versions)
            ],
        ),
        "## Limits",
        "The images are synthetic. A label says what its image should show; how far the image follows it "
        "is measured by `seg2real evaluate`, not by this folder. What the photographs did not show, the "
        "images do not show either.",
        "Made with seg2real. `seg2real info`, `verify` and `report` summarise, check and show this folder.",
    ]
    return "\n\n".join(parts)


def _front_matter(about: About, num_samples: int) -> str:
    size = next((name for limit, name in _SIZES if num_samples < limit), "n>1M")
    lines = [
        "task_categories:",
        "- image-segmentation",
        "tags:",
        "- synthetic",
        "size_categories:",
        f"- {size}",
    ]
    if _LICENCE_ID.fullmatch(about.licence):
        lines.append(f"license: {about.licence.lower()}")
    elif about.licence:
        lines += ["license: other", f"license_name: {json.dumps(about.licence)}"]
    return FRONT_MATTER.replace("---\n", "\n".join(["---", *lines, ""]), 1).rstrip()


def _table(*columns: Any) -> str:
    """A Markdown table; the last argument holds its rows."""
    *names, rows = columns
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _mark(text: bytes) -> bytes:
    return f"\n<!-- seg2real wrote this: {hashlib.sha256(text).hexdigest()} -->\n".encode()


def _is_ours(data: bytes | None) -> bool:
    """Whether nobody else has touched a card: it carries the hash of what is before the mark."""
    if data is None or data == FIRST_CARD.encode():
        return True
    match = _MARK.search(data)
    return match is not None and hashlib.sha256(data[: match.start()]).hexdigest() == match[1].decode()


def _read(store: Store, name: str) -> bytes | None:
    try:
        return store.read(name)
    except FileNotFoundError:
        return None


def _replace(store: Store, name: str, data: bytes) -> None:
    if _read(store, name) != data:
        store.replace(name, data)
