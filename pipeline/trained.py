"""Which snapshots a run has left; looked up without loading a network."""

import json
import re
from pathlib import Path

from gan.config import RESUMABLE_CHANGES
from pipeline.config import RunConfig

__all__ = ["finished_snapshot", "newest_snapshot", "numbered_files"]


def newest_snapshot(run_dir: Path) -> Path | None:
    """The snapshot of a run that saw the most images, or None."""
    snapshots = numbered_files(run_dir / "snapshots", "snapshot", "safetensors")
    return snapshots[-1][1] if snapshots else None


def finished_snapshot(config: RunConfig) -> Path | None:
    """The last snapshot of exactly this run; None when there is something left to train."""
    snapshot = newest_snapshot(config.run_dir)
    if snapshot is None:
        return None
    info = json.loads(snapshot.with_suffix(".json").read_text(encoding="utf-8"))
    if info["num_images_seen"] < config.train.total_images:
        return None
    wanted = {
        "train": config.train.model_dump(mode="json", exclude=RESUMABLE_CHANGES),
        "noise": config.noise.model_dump(mode="json"),
        "palette": config.read_palette().model_dump(mode="json"),
    }
    found = {section: info[section] for section in wanted}
    found["train"] = {key: value for key, value in info["train"].items() if key not in RESUMABLE_CHANGES}
    return snapshot if found == wanted else None


def numbered_files(folder: Path, stem: str, suffix: str) -> list[tuple[int, Path]]:
    """`<stem>-<number>.<suffix>` files of a folder by ascending number."""
    pattern = re.compile(rf"{stem}-(\d+)\.{suffix}")
    found = ((pattern.fullmatch(path.name), path) for path in folder.glob(f"{stem}-*.{suffix}"))
    return sorted((int(match[1]), path) for match, path in found if match)
