"""run, train and generate: a dry run does nothing, a signal leaves a checkpoint and no process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.config import load_config
from pipeline.interruption import Interrupted

START = "import sys; from flows.cli import main; sys.argv[0] = 'seg2real'; main()"


@pytest.mark.parametrize("command", ["run", "train", "generate"])
def test_a_dry_run_shows_the_config_and_does_nothing(
    seg2real: Callable, tiny_file: Callable[..., Path], tmp_path: Path, command: str
) -> None:
    said = seg2real(command, tiny_file(tmp_path), "train.batch_size=4", "--dry-run")
    assert said.code == 0
    (tmp_path / "resolved.yaml").write_text(said.out)
    assert load_config(tmp_path / "resolved.yaml").train.batch_size == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["resolved.yaml", "tiny.yaml"]


@pytest.mark.parametrize("command", ["run", "train"])
def test_training_in_several_processes_is_asked_for_and_its_end_is_the_commands(
    seg2real: Callable,
    tiny_file: Callable[..., Path],
    tmp_path: Path,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def train_in_processes(*_: object, num_processes: int, **__: object) -> None:
        assert num_processes == 2
        raise Interrupted("Training stopped.", signal.SIGTERM)

    monkeypatch.setattr("pipeline.training_processes.train_in_processes", train_in_processes)
    said = seg2real(command, tiny_file(tmp_path), "--nproc", "2")
    assert (said.code, said.err.splitlines()[-1]) == (143, "Error: Training stopped.")


@pytest.mark.parametrize(
    "arguments, wanted", [(["train", "--nproc", "2"], "leave out --nproc"), (["run"], "only training works")]
)
def test_what_does_not_go_with_torchrun_is_refused(
    seg2real: Callable,
    tiny_file: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    wanted: str,
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    command, *options = arguments
    said = seg2real(command, tiny_file(tmp_path), *options)
    assert said.code == 2
    assert wanted in said.err


def _processes_with(home: Path) -> list[str]:
    """Command lines of running processes whose environment names a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(home).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def _wait_for(is_there: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    for _ in range(3600):
        if is_there():
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    raise AssertionError("it did not come within three minutes")


class _Flow:
    """`seg2real run --flow` in a session of its own, with a server of its own, far from our prefect.toml."""

    def __init__(self, folder: Path, config: Path, environment: dict[str, str]):
        self.folder, self.home = folder, folder / "prefect-home"
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, "run", "--flow", str(config)],
            cwd=folder,
            # Two that compute at once hold each the lock of a device of its own.
            env=environment | {"PREFECT_HOME": str(self.home), "TMPDIR": str(folder)},
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def is_training(self) -> bool:
        log = self.folder / "run" / "metrics.jsonl"
        return log.exists() and log.stat().st_size > 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_signal_in_a_flow_writes_a_checkpoint_and_leaves_no_process(
    tiny_file: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    """SIGTERM comes to the run alone; Ctrl-C at a terminal to the run and its server."""
    settings = {"total_images": 100_000, "snapshot_every_images": 100_000, "checkpoint_every_images": 100_000}
    started = []
    for name in ("terminated", "at a terminal"):
        (tmp_path / name).mkdir()
        config = tiny_file(tmp_path / name, train=settings)
        started.append(_Flow(tmp_path / name, config, environment))
    terminated, at_terminal = started
    try:
        for flow in started:
            _wait_for(flow.is_training, flow.process)
            assert len(_processes_with(flow.home)) >= 2
        terminated.process.send_signal(signal.SIGTERM)
        os.killpg(at_terminal.process.pid, signal.SIGINT)
        said = [flow.process.communicate(timeout=60)[1] for flow in started]
    finally:
        for flow in started:
            if flow.process.poll() is None:
                os.killpg(flow.process.pid, signal.SIGKILL)

    assert [flow.process.returncode for flow in started] == [143, 130]
    for flow, err in zip(started, said, strict=True):
        assert "Error: Training stopped with a checkpoint" in err
        assert "Traceback" not in err
        assert len(list((flow.folder / "run" / "checkpoints").glob("checkpoint-*.pt"))) == 1
        assert _processes_with(flow.home) == []
