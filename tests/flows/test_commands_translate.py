"""translate: a snapshot alone is enough; what cannot be done is said before anything is done."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.config import load_config
from pipeline.images import encode_jpeg, encode_label_png, read_label

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory: pytest.TempPathFactory, tiny_file: Callable[..., Path]) -> Path:
    """Snapshots of untrained networks; the config that they were made from is gone."""
    import torch

    from gan.snapshot import Snapshot
    from gan.training_state import TrainingState
    from pipeline.training import label_spec

    folder = tmp_path_factory.mktemp("snapshots")
    for name, train in {
        "both-ways": {},
        "photo": {"background": "photo"},
        "one-way": {"method": "cut"},
    }.items():
        path = tiny_file(folder, train=train)
        config = load_config(path)
        spec = label_spec(config.read_palette(), config)
        state = TrainingState(config.train, spec, torch.device("cpu"))
        snapshot = Snapshot.of(state.ema.network, spec, config.train, 8)
        (folder / f"{name}.safetensors").write_bytes(snapshot.to_bytes())
        path.unlink()
    return folder


@pytest.fixture
def folder(tmp_path: Path, tiny_file: Callable[..., Path]) -> Path:
    """Five labels and five photographs."""
    palette = load_config(tiny_file(tmp_path / "config")).read_palette()
    random = np.random.default_rng(0)
    for kind in ("labels", "photos"):
        (tmp_path / kind).mkdir()
    for number in range(5):
        label_map = random.integers(0, 6, (16, 24), dtype=np.uint8)
        (tmp_path / "labels" / f"{number}.png").write_bytes(encode_label_png(label_map, palette))
        photo = random.integers(0, 256, (16, 24, 3), dtype=np.uint8)
        (tmp_path / "photos" / f"{number}.jpg").write_bytes(encode_jpeg(photo, 90))
    return tmp_path


def test_there_and_back(
    seg2real: Callable, snapshots: Path, folder: Path, tiny_file: Callable[..., Path]
) -> None:
    snapshot = ["--snapshot", snapshots / "both-ways.safetensors", "--device", "cpu"]
    said = seg2real("translate", folder / "labels", folder / "drawn", *snapshot, "--format", "jpg")
    assert (said.code, "5 of 5 inputs, as 5 files" in said.out) == (0, True)
    said = seg2real("translate", folder / "drawn", folder / "back", *snapshot, "--direction", "ba")
    assert said.code == 0
    palette = load_config(folder / "config" / "tiny.yaml").read_palette()
    assert read_label(folder / "back" / "4.png", palette).shape == (16, 24)


def test_a_dry_run_lists_and_writes_nothing(seg2real: Callable, snapshots: Path, folder: Path) -> None:
    said = seg2real(
        "translate", folder / "labels", folder / "out", "--variants", 2, "--dry-run",
        "--snapshot", snapshots / "both-ways.safetensors",
    )  # fmt: skip
    assert said.code == 0
    lines = said.out.splitlines()
    out = folder / "out"
    assert lines[0] == f"{folder / 'labels' / '0.png'} -> {out / '0-v0.png'}, {out / '0-v1.png'}"
    assert len(lines) == 5
    assert not out.exists()


@pytest.mark.parametrize(("num_bad", "code"), [(1, 0), (2, 3)])
def test_bad_files_are_listed_and_may_not_be_many(
    seg2real: Callable, snapshots: Path, folder: Path, num_bad: int, code: int
) -> None:
    for number in range(num_bad):
        (folder / "labels" / f"{number}.png").write_bytes(b"no image")
    said = seg2real(
        "translate", folder / "labels", folder / "out", "--snapshot", snapshots / "both-ways.safetensors"
    )
    assert said.code == code
    assert said.err.count("Skipped ") == num_bad
    assert f"{folder / 'labels' / '0.png'}: it is no image that can be read" in said.err
    assert (f"Error: {num_bad} of 5 files cannot be translated" in said.err) == (code == 3)
    assert len(list((folder / "out").iterdir())) == 5 - num_bad


WRONG = [
    (["{labels}", "--snapshot", "{both}"], "OUT is missing"),
    (["--snapshot", "{both}"], "INPUT and OUT are missing"),
    (["{labels}", "{out}"], "Missing option '--snapshot'"),
    (["{labels}", "{out}", "--snapshot", "{out}"], "out cannot be read"),
    (["{out}", "{out}", "--snapshot", "{both}"], "out does not exist"),
    (["{labels}", "{labels}", "--snapshot", "{both}"], "so that the next call would translate its own"),
    (["{photos}", "{out}", "--snapshot", "{both}"], "5 files like 0.jpg and no segmentation images"),
    (["{photos}", "{out}", "--direction", "ba", "--snapshot", "{one}"], "learns no way back"),
    (["{labels}", "{out}", "--snapshot", "{photo}"], "name a folder of them by --photos"),
    (["{photos}", "{out}", "--direction", "ba", "--variants", "2", "--snapshot", "{both}"], "--variants 2"),
    (["{labels}", "{out}", "--direction", "up", "--snapshot", "{both}"], "'up'"),
    (["{labels}", "{out}", "--camera", "0", "--snapshot", "{both}"], "--camera 0 takes the place of INPUT"),
    (["--camera", "0", "--snapshot", "{both}"], "There is no display to show the camera on; name a file"),
    (["{out}", "--camera", "97", "--snapshot", "{both}"], "Camera 97 cannot be opened"),
    (["{labels}", "{out}", "--device", "abacus", "--snapshot", "{both}"], "Device 'abacus' cannot be used"),
]


@pytest.mark.parametrize(("arguments", "sentence"), WRONG, ids=lambda value: str(value)[:60])
def test_what_cannot_be_done_is_a_sentence_and_code_2(
    seg2real: Callable,
    snapshots: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    sentence: str,
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    names = {
        "labels": folder / "labels",
        "photos": folder / "photos",
        "out": folder / "out",
        "both": snapshots / "both-ways.safetensors",
        "one": snapshots / "one-way.safetensors",
        "photo": snapshots / "photo.safetensors",
    }
    said = seg2real("translate", *(argument.format(**names) for argument in arguments))
    assert said.code == 2
    assert sentence in " ".join(said.err.split())
    assert "Traceback" not in said.err
    assert not (folder / "out").exists()
