"""Training in several processes: equal shares, one writer, one end for all."""

import json
import logging
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from gan.data import HostBatch
from gan.health import TrainingDiverged
from gan.share import Share
from manifests.durable import LockHeldError, exclusive_lock
from pipeline import training_processes
from pipeline.config import ConfigError, RunConfig
from pipeline.interruption import Interrupted, TrainingProcessDied
from pipeline.progress import ShowProgress
from pipeline.run import gather_stage, prepare_stage
from pipeline.training_images import TrainingImages
from pipeline.training_processes import train_in_processes

pytestmark = pytest.mark.usefixtures("one_thread")

ROOT = Path(__file__).parents[2]
START = "import sys; from flows.cli import main; sys.argv[0] = 'seg2real'; main()"
LENGTH = {"total_images": 200, "snapshot_every_images": 1000, "preview_every_images": 1000}
LENGTH |= {"checkpoint_every_images": 1000}


@pytest.fixture
def started(tmp_path: Path, tiny_config: Callable, monkeypatch: pytest.MonkeyPatch) -> tuple:
    """A config, its labels and its photographs."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    config = gather_stage(tiny_config(tmp_path, train=LENGTH))
    prepared = prepare_stage(config)
    return config, prepared.train_labels, prepared.train_photos


def at_first_progress(act: Callable[[], None]) -> ShowProgress:
    """Do something when training has begun."""

    @contextmanager
    def show(_what: str, _unit: str) -> Iterator[Callable[..., None]]:
        told: list[int] = []

        def progress(done: int, _total: int, _note: str = "") -> None:
            told.append(done)
            if len(told) == 1:
                act()

        yield progress

    return show


def images_seen(config: RunConfig) -> list[int]:
    lines = (config.run_dir / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["num_images_seen"] for line in lines]


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def as_torchrun_does(config: Path, num: int) -> list[tuple[int, str]]:
    """Exit code and words of each of the processes that train."""
    shared = {"WORLD_SIZE": str(num), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", START, "train", str(config)],
            env=os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(num)
    ]
    try:
        said = [process.communicate(timeout=240)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, words) for process, words in zip(processes, said, strict=True)]


def test_a_signal_leaves_one_checkpoint_from_which_torchruns_processes_go_on(
    started: tuple, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = started[0]
    before = signal.getsignal(signal.SIGTERM)
    show = at_first_progress(lambda: os.kill(os.getpid(), signal.SIGTERM))
    with caplog.at_level(logging.INFO), pytest.raises(Interrupted, match="checkpoint") as stopped:
        train_in_processes(*started, num_processes=2, show=show)
    assert stopped.value.signal_number == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before
    assert multiprocessing.active_children() == []
    assert caplog.text.count("SIGTERM received") == 1  # the first rank's words, which came through the pipe
    (checkpoint,) = (config.run_dir / "checkpoints").iterdir()
    state = torch.load(checkpoint, weights_only=True)
    assert len(state["pools"]) == 2
    assert 0 < state["num_images_seen"] < 200

    # The run is nobody's now, and goes on where it stopped, in processes that somebody else starts.
    first, second = as_torchrun_does(tmp_path / "tiny.yaml", 2)
    assert (first[0], second[0]) == (0, 0), first[1] + second[1]
    assert f"Resumed at {state['num_images_seen']} of 200 images" in first[1]
    assert "snapshot-00000200" in first[1]
    assert "snapshot" not in second[1] and "Resumed" not in second[1]
    assert images_seen(config) == [*range(2, 201, 2), 200]  # and the last snapshot's adherence
    assert len(list((config.run_dir / "snapshots").glob("*.safetensors"))) == 1


def test_a_process_that_dies_ends_the_others(started: tuple) -> None:
    def kill_one() -> None:
        last = max(multiprocessing.active_children(), key=lambda process: process.pid)
        os.kill(last.pid, signal.SIGKILL)

    with pytest.raises(TrainingProcessDied, match=r"process \d of 2 ended with SIGKILL and said nothing"):
        train_in_processes(*started, num_processes=2, show=at_first_progress(kill_one))
    assert multiprocessing.active_children() == []


def test_an_error_comes_back_as_itself(started: tuple) -> None:
    config = started[0]
    config.run_dir.mkdir(exist_ok=True)
    lock = exclusive_lock(config.run_dir / ".lock", what="The run")
    with lock, pytest.raises(LockHeldError, match=f"in use by process {os.getpid()}") as error:
        train_in_processes(*started, num_processes=2)
    assert "in train_run" in error.value.__notes__[0]


@pytest.mark.parametrize(
    "error", [TrainingDiverged("bad"), Interrupted("stopped", signal.SIGINT), OSError(5, "broken", "file")]
)
def test_every_kind_of_error_passes_the_pipe(error: Exception) -> None:
    receiver, sender = multiprocessing.Pipe(duplex=False)
    heard: dict[int, Exception] = {}
    sender.send(("error", type(error), error.args, error.__dict__))
    training_processes._hear([receiver], lambda *_: None, heard)
    assert type(heard[0]) is type(error)
    assert str(heard[0]).startswith(str(error).partition(":")[0])
    assert heard[0].__dict__ == error.__dict__


def test_a_batch_that_cannot_be_shared_is_refused(started: tuple) -> None:
    with pytest.raises(ConfigError, match=r"train.batch_size 2 cannot be shared by 3 processes"):
        train_in_processes(*started, num_processes=3)


def test_shares_make_the_batch(started: tuple) -> None:
    config, labels, photos = started

    def batch(share: Share) -> HostBatch:
        return TrainingImages(config, config.read_palette(), labels, photos, share=share).batch(4)

    parts = [batch(Share(rank, 2)) for rank in range(2)]
    whole = batch(Share())
    assert all(len(part.label_map) == 1 for part in parts)
    assert np.array_equal(np.concatenate([part.label_map for part in parts]), whole.label_map)
    assert np.array_equal(np.concatenate([part.photo for part in parts]), whole.photo)
