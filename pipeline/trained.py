"""Which snapshots a run has left; looked up without loading a network."""

import json
import re
from pathlib import Path

from gan.config import RESUMABLE_CHANGES
from pipeline.config import RunConfig

__all__ = ["finished_snapshot", "newest_snapshot", "numbered_files"]


def newest_snapshot(run_dir: Path) -> Path | None:
    """The snapshot of a run that saw the most images, or None."""
    snapshots = _snapshots(run_dir)
    return snapshots[-1][1] if snapshots else None


def finished_snapshot(config: RunConfig) -> Path | None:
    """The last snapshot of exactly this run; None when there is something left to train.

    Snapshots that an earlier run with other settings left in the folder do not count.
    """
    wanted = {
        "train": config.train.model_dump(mode="json", exclude=RESUMABLE_CHANGES),
        "noise": config.noise.model_dump(mode="json"),
        "palette": config.read_palette().model_dump(mode="json"),
    }
    for num_images_seen, snapshot in reversed(_snapshots(config.run_dir)):
        if num_images_seen < config.train.total_images:
            break
        info = json.loads(snapshot.with_suffix(".json").read_text(encoding="utf-8"))
        found = {section: info[section] for section in wanted}
        found["train"] = {key: value for key, value in info["train"].items() if key not in RESUMABLE_CHANGES}
        if found == wanted:
            return snapshot
    return None


def _snapshots(run_dir: Path) -> list[tuple[int, Path]]:
    return numbered_files(run_dir / "snapshots", "snapshot", "safetensors")


def numbered_files(folder: Path, stem: str, suffix: str) -> list[tuple[int, Path]]:
    """`<stem>-<number>.<suffix>` files of a folder by ascending number."""
    pattern = re.compile(rf"{stem}-(\d+)\.{suffix}")
    found = ((pattern.fullmatch(path.name), path) for path in folder.glob(f"{stem}-*.{suffix}"))
    return sorted((int(match[1]), path) for match, path in found if match)
