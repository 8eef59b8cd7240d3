"""The curves of a training run, from its metrics.jsonl."""

import json
import math
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Curve", "read_curves"]

NUM_POINTS = 160
"""Of a drawn curve at most: each is the mean of its neighbours."""
_X = "num_images_seen"


class Curve(NamedTuple):
    """One figure over the images seen."""

    name: str
    points: str
    """Of an SVG polyline in a box of 100 x 40; y grows downwards."""
    low: float
    high: float
    last: float
    num_images: int
    """Images seen at the last point."""


def read_curves(metrics: bytes) -> list[Curve]:
    """A curve for each figure, those of adherence to labels first.

    Args:
        metrics: a JSON object a line, with "num_images_seen" and figures. A last line that is not whole is
            left out, and so are values that are not finite.
    """
    values: dict[str, list[tuple[int, float]]] = {}
    for line in metrics.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:  # half a line, of a run that was killed or is going on
            continue
        if not isinstance(entry, dict) or not _is_figure(entry.get(_X)):
            continue
        for name, value in entry.items():
            if name != _X and _is_figure(value):
                values.setdefault(name, []).append((int(entry[_X]), float(value)))
    order = sorted(values, key=lambda name: (not name.startswith("adherence"), name == "images_per_second"))
    return [_curve(name, values[name]) for name in order]


def _is_figure(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _curve(name: str, values: Sequence[tuple[int, float]]) -> Curve:
    size = -(-len(values) // NUM_POINTS)
    groups = [values[start : start + size] for start in range(0, len(values), size)]
    means = [tuple(sum(column) / len(group) for column in zip(*group, strict=True)) for group in groups]
    low, high = min(y for _, y in means), max(y for _, y in means)
    first, last = means[0][0], means[-1][0]
    points = " ".join(
        f"{100 * (x - first) / ((last - first) or 1):.2f},{40 - 40 * (y - low) / ((high - low) or 1):.2f}"
        for x, y in means
    )
    return Curve(name.replace("_", " "), points, low, high, values[-1][1], values[-1][0])
