"""What a training has left to look at; read without loading a network."""

import json
from pathlib import Path

from manifests.report.page import Training
from pipeline.snapshot_files import numbered_files

__all__ = ["read_training"]


def read_training(run_dir: Path) -> Training:
    """The metrics and the newest preview of a training's folder; nothing where it has left none."""
    metrics = []
    log = run_dir / "metrics.jsonl"
    if log.exists():
        for line in log.read_text(encoding="utf-8").splitlines():
            try:
                metrics.append(json.loads(line))
            except json.JSONDecodeError:
                break  # the run was killed as it wrote its last line
    previews = numbered_files(run_dir / "previews", "preview", "png")
    return Training(tuple(metrics), previews[-1][1].read_bytes() if previews else None)
