"""Pictures of a comparison, for people: what each entry draws, and how its discriminators did."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gan.snapshot import Snapshot
from gan.translator import Translator
from pipeline.comparison.table import by_usefulness, name_of_score, score_of
from pipeline.config import RunConfig
from pipeline.evaluation.drawing import draw_images
from pipeline.evaluation.material import read_material
from pipeline.evaluation.parts import part_sources, spread
from pipeline.images import read_image
from pipeline.prepare import Prepared

__all__ = ["draw_curves", "draw_examples", "draw_sheet"]

NUM_EXAMPLES = 6
DPI = 100
SHEET_WIDTH_INCHES = 11
LINE_STYLES = ("-", "--", ":")
"""Of the first ten entries, of the next ten, ...; each ten have all colours."""
TITLES = {"accuracy_a": "of segmentation images", "accuracy_b": "of photographs"}


def draw_examples(config: RunConfig, prepared: Prepared, snapshot: Path) -> tuple[np.ndarray, np.ndarray]:
    """Some test labels side by side, and what a snapshot draws for them: twice uint8 [H, N * W, 3] RGB.

    Args:
        config: the run.
        prepared: its sources.
        snapshot: what draws.
    """
    parts = part_sources(prepared, config.evaluate)
    parts = replace(parts, test_labels=spread(parts.test_labels, NUM_EXAMPLES))
    material = read_material(config, parts, prepared)
    translator = Translator(
        Snapshot.from_bytes(snapshot.read_bytes()),
        device=config.train.device,
        precision=config.train.precision,
    )
    images = draw_images(
        translator,
        material.test_labels,
        seed=config.evaluate.seed,
        correlation_px=translator.info.noise.correlation_px,
        photos=material.train_photos,
        renders=material.test_renders,
    )
    colors = config.read_palette().colors.take(material.test_labels, axis=0)
    return _side_by_side(colors), _side_by_side(images)


def draw_sheet(found: dict[str, Any], labels: Path, images: dict[str, Path]) -> bytes:
    """One row for the labels and one for each entry, the most useful first, as PNG.

    Args:
        found: what `compare` returns.
        labels: the labels' row, as a picture.
        images: each entry's row.
    """
    entries = by_usefulness(found)
    rows = {"labels": labels}
    rows |= {f"{name}: {name_of_score(entry)} {score_of(entry):.3f}": images[name] for name, entry in entries}
    pictures = {title: read_image(path) for title, path in rows.items()}
    height, width = next(iter(pictures.values())).shape[:2]
    row_inches = SHEET_WIDTH_INCHES * height / width + 0.25
    figure = Figure((SHEET_WIDTH_INCHES, row_inches * len(pictures)), dpi=DPI, layout="constrained")
    axes = figure.subplots(len(pictures), squeeze=False)[:, 0]
    for axis, (title, picture) in zip(axes, pictures.items(), strict=True):
        axis.imshow(picture, interpolation="nearest", aspect="equal")
        axis.set_title(title, fontsize=9, loc="left", pad=2)
        axis.set_axis_off()
    return _as_png(figure)


def draw_curves(found: dict[str, Any]) -> bytes:
    """Share of patches that each discriminator calls right over the training of each entry, as PNG; 1 = it
    has won and teaches nothing more, 0.5 = it guesses."""
    figure = Figure((SHEET_WIDTH_INCHES, 4), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(TITLES), sharey=True)
    for axis, (key, title) in zip(axes, TITLES.items(), strict=True):
        _draw_curve(axis, found, key)
        axis.set(title=f"discriminator {title}", xlabel="images seen", ylim=(0.45, 1.02))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("share of patches called right")
    handles, names = axes[-1].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return _as_png(figure)


def _draw_curve(axis: Axes, found: dict[str, Any], key: str) -> None:
    for number, (name, entry) in enumerate(found["entries"].items()):
        points = [point for point in entry["training"]["curve"] if key in point]
        if points:
            seen = [point["num_images_seen"] for point in points]
            style = {"color": f"C{number % 10}", "linestyle": LINE_STYLES[number // 10 % len(LINE_STYLES)]}
            axis.plot(seen, [point[key] for point in points], label=name, lw=1.2, **style)


def _side_by_side(images: np.ndarray) -> np.ndarray:
    return np.concatenate(list(images), axis=1)


def _as_png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
