"""Snapshots of untrained networks, segmentation images, photographs and videos of a few pixels."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.images import encode_jpeg, encode_label_png
from pipeline.palette import Palette, load_palette

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def palette() -> Palette:
    return load_palette(ROOT / "configs" / "palettes" / "nubots.yaml")


@pytest.fixture(scope="session")
def snapshot(
    tmp_path_factory: pytest.TempPathFactory, tiny_config: Callable, one_thread: None
) -> Callable[..., Path]:
    """The snapshot file of a tiny run with the training settings changed; made once for each."""
    made: dict[str, Path] = {}

    def make(**train: object) -> Path:
        key = repr(sorted(train.items()))
        if key not in made:
            import torch

            from gan.snapshot import Snapshot
            from gan.training_state import TrainingState
            from pipeline.training import label_spec

            folder = tmp_path_factory.mktemp("snapshot")
            config = tiny_config(folder, scenes=None, train=train)
            spec = label_spec(config.read_palette(), config)
            state = TrainingState(config.train, spec, torch.device("cpu"))
            made[key] = folder / "snapshot.safetensors"
            made[key].write_bytes(Snapshot.of(state.ema.network, spec, config.train, 8).to_bytes())
        return made[key]

    return make


@pytest.fixture
def label_map() -> Callable[..., np.ndarray]:
    """Blocks of classes, so that a video's compression leaves most pixels near their colours."""

    def make(number: int, height: int, width: int) -> np.ndarray:
        blocks = np.random.default_rng(number).integers(
            0, 6, (-(-height // 8), -(-width // 8)), dtype=np.uint8
        )
        return np.ascontiguousarray(np.kron(blocks, np.ones((8, 8), np.uint8))[:height, :width])

    return make


@pytest.fixture
def write_label(palette: Palette, label_map: Callable[..., np.ndarray]) -> Callable[..., Path]:
    def write(path: Path, height: int = 17, width: int = 23, number: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_label_png(label_map(number, height, width), palette))
        return path

    return write


@pytest.fixture
def write_photo() -> Callable[..., Path]:
    def write(path: Path, height: int = 17, width: int = 23, number: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        photo = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
        path.write_bytes(encode_jpeg(photo, 90))
        return path

    return write


@pytest.fixture
def write_video(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Encode frames uint8 [H, W, 3] RGB; FFV1 in AVI keeps every level, MJPG survives being cut off."""
    monkeypatch.setenv("OPENCV_FFMPEG_LOGLEVEL", "-8")  # FFmpeg reads it once, for good

    def write(path: Path, frames: list[np.ndarray], codec: str = "FFV1", fps: float = 12.5) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        height, width = frames[0].shape[:2]
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, (width, height))
        for frame in frames:
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        writer.release()
        return path

    return write


@pytest.fixture
def cut_video(write_video: Callable[..., Path]) -> Callable[[Path], Path]:
    """A video of eight frames, of which the last ones are missing."""

    def write(path: Path) -> Path:
        frames = np.random.default_rng(0).integers(0, 256, (8, 24, 32, 3), dtype=np.uint8)
        data = write_video(path, list(frames), "MJPG").read_bytes()
        path.write_bytes(data[: len(data) * 6 // 10])
        return path

    return write


@pytest.fixture
def noise_frames() -> Callable[..., list[np.ndarray]]:
    """Frames that are easily told apart: a brightness each, with a little structure."""

    def make(num: int, height: int = 24, width: int = 32) -> list[np.ndarray]:
        random = np.random.default_rng(num)
        return [
            (random.integers(0, 16, (height, width, 3)) + 20 + 30 * number).astype(np.uint8)
            for number in range(num)
        ]

    return make
