"""What a run shows in Prefect's pages: progress bars and pictures."""

import base64
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from prefect.artifacts import create_image_artifact, create_progress_artifact, update_progress_artifact

from pipeline.contact_sheet import encode_within
from pipeline.progress import Progress, show_progress

__all__ = ["artifact_progress", "show_picture"]

UPDATE_EVERY_SECONDS = 2
MAX_PICTURE_BYTES = 70_000  # as text in a data: URI it grows by a third, and artifacts are best under 100 kB


@contextmanager
def artifact_progress(what: str, unit: str) -> Iterator[Progress]:
    """Progress as `show_progress` has it, and as a progress artifact of the task that runs."""
    artifact = create_progress_artifact(0.0, key=_key(what), description=f"{what}, {unit}")
    percent, last_update = 0.0, time.monotonic()
    with show_progress(what, unit) as shown:

        def progress(done: int, total: int, note: str = "") -> None:
            nonlocal percent, last_update
            shown(done, total, note)
            percent = 100.0 * done / max(total, 1)
            if time.monotonic() - last_update >= UPDATE_EVERY_SECONDS:
                last_update = time.monotonic()
                update_progress_artifact(artifact, percent, description=note or None)

        yield progress
    update_progress_artifact(artifact, percent)


def show_picture(title: str, picture: np.ndarray) -> None:
    """An image artifact that carries the picture itself, uint8 [H, W, 3], so that it needs no web server."""
    data = base64.b64encode(encode_within(picture, MAX_PICTURE_BYTES)).decode()
    create_image_artifact(f"data:image/jpeg;base64,{data}", key=_key(title), description=title)


def _key(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
