"""Charts as inline SVG: they take the page's colours, and every number can be read as text."""

from collections.abc import Mapping, Sequence
from html import escape

__all__ = ["bars", "histogram", "lines"]

WIDTH = 360
ROW_HEIGHT = 20
LABEL_WIDTH = 110
VALUE_WIDTH = 60
MAX_LABEL = 15
PLOT_HEIGHT = 120
MARGIN = 28
STROKES = ("var(--accent)", "var(--accent-2)", "var(--accent-3)", "var(--muted)")


def bars(values: Mapping[str, float], *, colors: Sequence[str] = (), form: str = "{:,.0f}") -> str:
    """A horizontal bar for each value, with its name and number.

    Args:
        values: by name, at least 0.
        colors: CSS colour of each bar; the page's accent if left out.
        form: how a number is shown.
    """
    largest = max(values.values(), default=0) or 1
    space = WIDTH - LABEL_WIDTH - VALUE_WIDTH
    parts = []
    for number, (name, value) in enumerate(values.items()):
        y, length = number * ROW_HEIGHT, max(space * value / largest, 1 if value else 0)
        fill = escape(colors[number]) if colors else STROKES[0]
        shown = name if len(name) <= MAX_LABEL else name[: MAX_LABEL - 1] + "\u2026"
        parts.append(
            f'<text x="{LABEL_WIDTH - 8}" y="{y + 14}" text-anchor="end">{escape(shown)}'
            f"<title>{escape(name)}</title></text>"
            f'<rect x="{LABEL_WIDTH}" y="{y + 4}" width="{length:.1f}" height="12" rx="2" fill="{fill}" '
            f'stroke="var(--line)"/>'
            f'<text x="{LABEL_WIDTH + length + 6:.1f}" y="{y + 14}">{form.format(value)}</text>'
        )
    return _svg(WIDTH, max(len(values), 1) * ROW_HEIGHT + 4, parts)


def histogram(values: Sequence[float], *, num_bins: int = 20) -> str:
    """How often values between their least and their largest occur."""
    low, high = min(values), max(values)
    counts = [0] * num_bins
    for value in values:
        counts[min(int((value - low) / ((high - low) or 1) * num_bins), num_bins - 1)] += 1
    step, largest = WIDTH / num_bins, max(counts)
    parts = [
        f'<rect x="{number * step + 1:.1f}" y="{PLOT_HEIGHT - PLOT_HEIGHT * count / largest:.1f}" '
        f'width="{step - 2:.1f}" height="{PLOT_HEIGHT * count / largest:.1f}" fill="{STROKES[0]}">'
        f"<title>{low + (high - low) * number / num_bins:.3f}: {count}</title></rect>"
        for number, count in enumerate(counts)
    ]
    parts += [
        f'<text x="0" y="{PLOT_HEIGHT + 16}">{low:.3g}</text>',
        f'<text x="{WIDTH}" y="{PLOT_HEIGHT + 16}" text-anchor="end">{high:.3g}</text>',
    ]
    return _svg(WIDTH, PLOT_HEIGHT + 22, parts)


def lines(series: Mapping[str, Sequence[tuple[float, float]]], *, unit: str) -> str:
    """Curves over one axis; each is named below.

    Args:
        series: by name, points (x, y) with ascending x.
        unit: of x.
    """
    points = [point for curve in series.values() for point in curve]
    right = max(x for x, _ in points) or 1
    low, high = min(0.0, *(y for _, y in points)), max(y for _, y in points)
    scale = (high - low) or 1
    parts = []
    for number, (name, curve) in enumerate(series.items()):
        path = " ".join(
            f"{MARGIN + (WIDTH - MARGIN) * x / right:.1f},{PLOT_HEIGHT - PLOT_HEIGHT * (y - low) / scale:.1f}"
            for x, y in curve
        )
        stroke = STROKES[number % len(STROKES)]
        y = PLOT_HEIGHT + 34 + 16 * number
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{stroke}" stroke-width="1.5"/>'
            f'<rect x="{MARGIN}" y="{y - 9}" width="10" height="10" fill="{stroke}"/>'
            f'<text x="{MARGIN + 16}" y="{y}">{escape(name)}</text>'
        )
    parts += [
        f'<text x="0" y="10">{high:.2g}</text>',
        f'<text x="0" y="{PLOT_HEIGHT}">{low:.2g}</text>',
        f'<text x="{WIDTH}" y="{PLOT_HEIGHT + 16}" text-anchor="end">{right:,.0f} {escape(unit)}</text>',
    ]
    return _svg(WIDTH, PLOT_HEIGHT + 30 + 16 * len(series), parts)


def _svg(width: int, height: int, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img">{"".join(parts)}</svg>'
