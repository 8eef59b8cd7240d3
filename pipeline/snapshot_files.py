"""Which snapshots a run has left; looked up without loading a network."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gan.config import RESUMABLE_CHANGES, TrainConfig
from pipeline.config import ConfigError, RunConfig

__all__ = ["base_sha256", "finished_snapshot", "newest_snapshot", "numbered_files"]


def newest_snapshot(config: RunConfig) -> Path | None:
    """The snapshot of this run that saw the most images; None when it has left none.

    Snapshots that a run with other settings, noise or palette left in the folder do not count.
    """
    snapshots = _snapshots(config)
    return snapshots[-1][1] if snapshots else None


def finished_snapshot(config: RunConfig) -> Path | None:
    """The last snapshot of this run when it is complete; None when there is something left to train."""
    snapshots = _snapshots(config)
    if not snapshots or snapshots[-1][0] < config.train.total_images:
        return None
    return snapshots[-1][1]


def _snapshots(config: RunConfig) -> list[tuple[int, Path]]:
    """Images seen and path of each snapshot of exactly this run, ascending."""
    wanted = _identity(
        {
            "train": config.train.model_dump(mode="json"),
            "noise": config.noise.model_dump(mode="json"),
            "palette": config.read_palette().model_dump(mode="json"),
            "base_sha256": base_sha256(config),
        }
    )
    found = numbered_files(config.run_dir / "snapshots", "snapshot", "safetensors")
    return [
        (num_images_seen, path)
        for num_images_seen, path in found
        if _identity(json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))) == wanted
    ]


def _identity(info: dict[str, Any]) -> dict[str, Any] | None:
    """What makes two runs the same run; settings that are newer than a file have their defaults in it. None
    when the file's settings are none of today's."""
    try:
        train = TrainConfig.model_validate(info["train"]).model_dump(mode="json", exclude=RESUMABLE_CHANGES)
    except ValidationError:
        return None
    base = info.get("base_sha256")
    return {"train": train, "noise": info["noise"], "palette": info["palette"], "base": base}


def base_sha256(config: RunConfig) -> str | None:
    """Hash of the snapshot that the run starts from; None when it starts from nothing.

    Raises:
        ConfigError: the file cannot be read.
    """
    path = config.train.from_snapshot
    if path is None:
        return None
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigError(f"train.from_snapshot {path} cannot be read: {error.strerror}.") from None


def numbered_files(folder: Path, stem: str, suffix: str) -> list[tuple[int, Path]]:
    """`<stem>-<number>.<suffix>` files of a folder by ascending number."""
    pattern = re.compile(rf"{stem}-(\d+)\.{suffix}")
    found = ((pattern.fullmatch(path.name), path) for path in folder.glob(f"{stem}-*.{suffix}"))
    return sorted((int(match[1]), path) for match, path in found if match)
