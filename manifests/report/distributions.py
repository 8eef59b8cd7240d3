"""What the charts of a page show: counts, class balance, sizes, scores."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manifests.schema import SCHEMA, SPLITS

__all__ = [
    "Bar",
    "Histogram",
    "class_bars",
    "reject_kinds",
    "score_columns",
    "score_histogram",
    "size_bars",
    "split_bars",
]

NUM_BINS = 24
NUM_SIZES = 6


class Bar(NamedTuple):
    """One bar of a chart."""

    name: str
    share: float
    """Its length, 0 to 1."""
    text: str
    rejected_share: float = 0.0
    """The part of the length that rejected rows have."""
    color: str = ""
    """Of what it stands for, "#rrggbb"; "" = none."""


class Histogram(NamedTuple):
    """How the values of a score are spread."""

    name: str
    low: float
    high: float
    median: float
    num_missing: int
    accepted: list[float]
    """Height of each bin's accepted rows, 0 to 1."""
    rejected: list[float]
    """Height of what stands on that."""


def split_bars(table: pa.Table) -> list[Bar]:
    """Rows of each split."""
    counts = Counter(zip(table["split"].to_pylist(), table["accepted"].to_pylist(), strict=True))
    splits = [*SPLITS, *sorted({split for split, _ in counts} - set(SPLITS))]
    largest = max((counts[split, True] + counts[split, False] for split in splits), default=0) or 1
    bars = []
    for split in splits:
        accepted, rejected = counts[split, True], counts[split, False]
        text = f"{accepted + rejected:,}" + (f" ({rejected:,} rejected)" if rejected else "")
        bars.append(Bar(split, (accepted + rejected) / largest, text, rejected / largest))
    return bars


def class_bars(table: pa.Table, classes: Sequence[dict[str, Any]]) -> list[Bar]:
    """Share of all labels' pixels that each class has, and of how many labels it is part of."""
    if not classes:
        return []
    counts = pc.list_flatten(table["class_pixel_counts"]).to_numpy().reshape(-1, len(classes))
    shares = counts.sum(axis=0) / max(counts.sum(), 1)
    present = (counts > 0).sum(axis=0) / max(len(counts), 1)
    longest = shares.max() or 1
    return [
        Bar(
            entry["name"],
            float(shares[number] / longest),
            f"{_percent(shares[number])} of pixels, {_percent(present[number])} of labels",
            color="#{:02x}{:02x}{:02x}".format(*entry["color"]),
        )
        for number, entry in enumerate(classes)
    ]


def size_bars(samples_per_size: dict[str, int]) -> list[Bar]:
    """Rows of each size in px, the most frequent first; rare ones together."""
    counts = list(samples_per_size.items())
    if len(counts) > NUM_SIZES:
        num_rest = sum(num for _, num in counts[NUM_SIZES - 1 :])
        counts = [*counts[: NUM_SIZES - 1], (f"{len(counts) - NUM_SIZES + 1} others", num_rest)]
    largest = max((num for _, num in counts), default=1)
    return [Bar(size.replace("x", " x "), num / largest, f"{num:,}") for size, num in counts]


def score_columns(schema: pa.Schema) -> list[str]:
    """Columns that judge a row: fractions such as mask_coverage, and numbers of its own."""
    return [
        field.name
        for field in schema
        if pa.types.is_floating(field.type)
        or (pa.types.is_integer(field.type) and field.name not in SCHEMA.names)
    ]


def score_histogram(table: pa.Table, name: str) -> Histogram | None:
    """How a score's values are spread; None when no row has one."""
    values = table[name].cast(pa.float64()).to_numpy()  # a missing one becomes NaN
    is_accepted = table["accepted"].to_numpy()
    is_there = np.isfinite(values)
    if not is_there.any():
        return None
    found = values[is_there]
    low, high = float(found.min()), float(found.max())
    edges = np.linspace(low, high if high > low else low + 1, NUM_BINS + 1)
    accepted, rejected = (
        np.histogram(values[is_there & chosen], edges)[0] for chosen in (is_accepted, ~is_accepted)
    )
    tallest = (accepted + rejected).max()
    return Histogram(
        name=name,
        low=low,
        high=high,
        median=float(np.median(found)),
        num_missing=int((~is_there).sum()),
        accepted=(accepted / tallest).tolist(),
        rejected=(rejected / tallest).tolist(),
    )


def reject_kinds(samples_per_reject_reason: dict[str, int]) -> list[tuple[str, int]]:
    """Rejected rows by the kind of reason, which stands before its figures, most frequent first."""
    kinds: Counter[str] = Counter()
    for reason, num in samples_per_reject_reason.items():
        kinds[reason.partition(":")[0]] += num
    return kinds.most_common()


def _percent(share: float) -> str:
    """As many digits as a small share needs."""
    percent = 100 * share
    return f"{percent:.0f} %" if percent >= 10 or percent == 0 else f"{percent:.2g} %"
