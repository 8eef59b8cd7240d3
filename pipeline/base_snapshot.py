"""The snapshot that training starts from, where it does not start from nothing; looked at without torch."""

import hashlib

from gan.snapshot_info import SnapshotError, read_info
from pipeline.config import ConfigError, RunConfig

__all__ = ["base_fault", "base_sha256"]


def base_fault(config: RunConfig) -> str | None:
    """Why this run cannot start from `train.from_snapshot`, a clause about the file; None = it can.

    Only its description is read; whether its networks are those of the run, the networks themselves tell.
    """
    path = config.train.from_snapshot
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            info = read_info(file)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    except SnapshotError as error:
        return str(error).rstrip(".")
    # Only here: pyarrow takes longer to import than all the rest.
    from manifests.schema import same_classes

    if not same_classes(info.palette, config.read_palette().model_dump(mode="json")):
        return f"it was trained with other classes than those of {config.palette}"
    if info.train.conditioning != config.train.conditioning:
        return (
            f"it was trained with conditioning '{info.train.conditioning}', not '{config.train.conditioning}'"
        )
    return None


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
