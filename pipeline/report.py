"""The page of a dataset, with the training run behind it."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from manifests.manifest import Manifest
from manifests.report.page import write_report

__all__ = ["METRICS_NAME", "Training", "is_older", "read_training", "write_page"]

METRICS_NAME = "metrics.jsonl"


class Training(NamedTuple):
    """What the page shows of a training run; None = the run has none."""

    metrics: bytes | None = None
    """Its metrics.jsonl."""
    preview: bytes | None = None
    """Its newest preview, a PNG."""


def read_training(run_dir: Path) -> Training:
    """What a run directory holds so far."""
    metrics = preview = None
    with suppress(FileNotFoundError):
        metrics = (run_dir / METRICS_NAME).read_bytes()
    previews = sorted((run_dir / "previews").glob("preview-*.png"))  # numbers of equal length
    if previews:
        preview = previews[-1].read_bytes()
    return Training(metrics, preview)


def write_page(
    manifest: Manifest,
    run_dir: Path | None = None,
    *,
    max_samples: int = 500,
    progress: Callable[[int, int], None] | None = None,
) -> str:
    """Write report/index.html of a dataset; its name there.

    Args:
        manifest: the version to show.
        run_dir: of the training run behind it; None = show none.
        max_samples: rows to show.
        progress: told of rows read, and of how many there are to read.
    """
    training = Training() if run_dir is None else read_training(run_dir)
    return write_report(manifest, max_samples=max_samples, **training._asdict(), progress=progress)


def is_older(page: Path, *sources: Path) -> bool:
    """Whether a file is missing, or older than one that it was made from; sources that are missing do not
    count."""
    if not page.exists():
        return True
    written = page.stat().st_mtime_ns
    return any(source.exists() and written < source.stat().st_mtime_ns for source in sources)
