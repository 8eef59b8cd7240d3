"""Artifacts are few and small: Prefect's server keeps each of them."""

import base64
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from flows import artifacts
from pipeline.images import decode_image


@pytest.fixture
def updates(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The percentages that reach the server."""
    sent: list[float] = []

    def create(progress: float, **_: object) -> str:
        sent.append(progress)
        return "artifact"

    def update(_artifact: str, progress: float, **_: object) -> None:
        sent.append(progress)

    monkeypatch.setattr(artifacts, "create_progress_artifact", create)
    monkeypatch.setattr(artifacts, "update_progress_artifact", update)
    return sent


def test_fast_work_sends_its_begin_and_its_end(updates: list[float]) -> None:
    with artifacts.artifact_progress("generate", "images") as progress:
        for done in range(1001):
            progress(done, 1000)
    assert updates == [0, 100]


def test_slow_work_sends_something_now_and_then(
    updates: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0
    monkeypatch.setattr(artifacts, "time", SimpleNamespace(monotonic=lambda: now))
    with artifacts.artifact_progress("train", "images") as progress:
        for now in range(11):
            progress(now, 10, "G 0.5")
    assert updates == [0, 20, 40, 60, 80, 100, 100]


def test_nothing_to_do_is_no_division_by_zero(updates: list[float]) -> None:
    with artifacts.artifact_progress("generate", "images") as progress:
        progress(0, 0)
    assert updates == [0, 0]


@pytest.mark.parametrize("size", [(600, 800), (16, 24)])
def test_any_picture_fits_into_an_artifact(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    sent: dict[str, str] = {}

    def create(uri: str, *, key: str, **_: object) -> None:
        sent[key] = uri

    monkeypatch.setattr(artifacts, "create_image_artifact", create)
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    artifacts.show_picture("Training preview", noise)
    uri = sent["training-preview"]
    assert len(uri) < 100_000
    shown = decode_image(base64.b64decode(uri.partition(",")[2]), Path("artifact"))
    assert shown.shape[0] / shown.shape[1] == pytest.approx(size[0] / size[1], rel=0.02)
