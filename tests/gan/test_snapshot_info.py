import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from gan.snapshot import Snapshot
from gan.snapshot_info import HEADER_KEY, SnapshotError, read_info
from gan.training_state import TrainingState


@pytest.fixture
def data(labels, small_config) -> bytes:
    """A snapshot's file, of a method that format 1 had otherwise."""
    config = small_config(method="segback", segback={"latent_channels": 0, "segmenter_width": 4})
    state = TrainingState(config, labels, torch.device("cpu"))
    return Snapshot.of(state.ema.network, labels, config, 8).to_bytes()


def written_by(release: str | None, data: bytes, change) -> bytes:
    """The file with another description."""
    size = int.from_bytes(data[:8], "little")
    info = json.loads(json.loads(data[8 : 8 + size])["__metadata__"][HEADER_KEY])
    if release is None:
        del info["release"]
    else:
        info["release"] = release
    tensors = load(data)
    change(info, tensors)
    return save(tensors, {HEADER_KEY: json.dumps(info)})


def test_the_description_is_read_from_the_files_beginning(data) -> None:
    size = int.from_bytes(data[:8], "little")
    assert read_info(io.BytesIO(data[: 8 + size])) == Snapshot.from_bytes(data).info


def test_a_file_of_format_1_draws_as_it_did(data) -> None:
    def to_format_1(info: dict, tensors: dict) -> None:
        info["format"] = 1
        del info["train"]["segback"]["latent_channels"], tensors["labels.is_ignored"]

    now, then = Snapshot.from_bytes(data), Snapshot.from_bytes(written_by(None, data, to_format_1))
    assert then.info == now.info.model_copy(update={"release": None})
    assert all(torch.equal(then.tensors[name], tensor) for name, tensor in now.tensors.items())
    assert np.array_equal(then.labels.is_ignored, [False] * 3)
    assert Snapshot.from_bytes(then.to_bytes()).info == then.info


def test_a_later_format_is_refused_with_its_release(data) -> None:
    later = written_by("7.0.0", data, lambda info, _: info.update(format=3, news="unknown"))
    with pytest.raises(SnapshotError, match=r"seg2real 7\.0\.0 .* format 3, .* up to 2; use that release"):
        Snapshot.from_bytes(later)


@pytest.mark.parametrize("release", [None, "0.0.9"])
def test_settings_that_are_no_more_are_named_with_their_release(data, release) -> None:
    other = written_by(release, data, lambda info, _: info["train"]["cut"].update(gone=1))
    with pytest.raises(SnapshotError, match=rf"{release or 'early'}.*train\.cut\.gone.*use that release, or"):
        Snapshot.from_bytes(other)


@pytest.mark.parametrize("damage", [b"", b"\xff" * 20, (7).to_bytes(8, "little") + b"[1, 2]]"])
def test_what_has_no_description_is_no_snapshot(damage) -> None:
    with pytest.raises(SnapshotError, match="no usable snapshot"):
        read_info(io.BytesIO(damage))


def test_it_is_read_without_torch() -> None:
    code = "import sys, gan.snapshot_info; print('torch' in sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
