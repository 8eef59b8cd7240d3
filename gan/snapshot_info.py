"""What a snapshot says of itself; read without its weights, and without torch."""

import json
from typing import Any, BinaryIO, Literal

from pydantic import ValidationError

import gan
from gan.config import NoiseConfig, StrictModel, TrainConfig

__all__ = ["FORMAT", "HEADER_KEY", "SnapshotError", "SnapshotInfo", "read_info", "upgraded"]

FORMAT = 2
"""Of the files that this release writes. In format 1 `segback` had no latents, and no class was ignored."""
HEADER_KEY = "seg2real"
MAX_HEADER_BYTES = 100_000_000
"""As safetensors has it."""


class SnapshotError(ValueError):
    """A snapshot that cannot be used; the message says why."""


class SnapshotInfo(StrictModel):
    """What a snapshot says of itself."""

    format: Literal[2] = FORMAT
    release: str | None = gan.__version__
    """Of seg2real, that wrote the file; None = one that did not say."""
    num_images_seen: int
    """Training progress."""
    train: TrainConfig
    palette: dict[str, Any]
    """Class ids, names and colours of domain A, as the palette's file has them."""
    noise: NoiseConfig
    torch_version: str
    base_sha256: str | None = None
    """Of the snapshot that training started from; None = it started from nothing."""
    holds: Literal["ema", "raw"] | None = None
    """The average of the weights, or those of the last step; None = no training wrote it."""


def read_info(file: BinaryIO) -> SnapshotInfo:
    """The description in the header of a snapshot file, from its beginning.

    Raises:
        SnapshotError: it is no safetensors file of this project, or one of a release with other settings.
    """
    try:
        num_bytes = int.from_bytes(file.read(8), "little")
        if num_bytes > MAX_HEADER_BYTES:
            raise ValueError(f"a header of {num_bytes} bytes")
        info = json.loads(json.loads(file.read(num_bytes))["__metadata__"][HEADER_KEY])
        number = info["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise SnapshotError(f"This is no usable snapshot ({type(error).__name__}: {error}).") from None
    writer = f"seg2real {info.get('release') or '(an early release)'}"
    if number not in range(1, FORMAT + 1):
        raise SnapshotError(
            f"{writer} wrote this snapshot in format {number}, and seg2real {gan.__version__} reads formats "
            f"up to {FORMAT}; use that release, or a later one."
        )
    try:
        return SnapshotInfo.model_validate({"release": None} | upgraded(info))
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise SnapshotError(
            f"{writer} wrote this snapshot with settings that seg2real {gan.__version__} does not take "
            f"({'; '.join(faults)}); use that release, or train or import it again."
        ) from None


def upgraded(info: dict[str, Any]) -> dict[str, Any]:
    """A description of any format, as JSON values, in that of today."""
    if info["format"] == 1:
        train = info["train"]
        segback = {"latent_channels": 0} | train.get("segback", {})
        info = info | {"format": FORMAT, "train": train | {"segback": segback}}
    return info
