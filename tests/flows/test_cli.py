"""The command line: it starts at once, explains itself, and turns every error into a sentence and a code."""

import importlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer

import pipeline.run
from flows.cli import EXIT_CODES, app
from gan.device import DeviceError
from gan.health import TrainingDiverged
from gan.training_state import CheckpointMismatch
from pipeline.interruption import Interrupted
from pipeline.prepare import TooManyBadInputs
from pipeline.scenes.drawing import SceneError

ROOT = Path(__file__).parent.parent.parent
COMMANDS = sorted(typer.main.get_command(app).commands)


@pytest.fixture
def python(environment: dict[str, str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run code in a process of its own, far from the project."""

    def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return run


def test_help_starts_at_once_and_imports_nothing_heavy(python: Callable) -> None:
    probe = (
        "import json, sys, time\n"
        "start = time.process_time()\n"
        "from flows.cli import main\n"
        "sys.argv = ['seg2real', '--help']\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    heavy = {'torch', 'prefect', 'cv2', 'numpy', 'pyarrow', 'pydantic'} & set(sys.modules)\n"
        "    print(json.dumps([time.process_time() - start, sorted(heavy)]), file=sys.stderr)\n"
    )
    ran = python(probe)
    seconds, heavy = json.loads(ran.stderr.splitlines()[-1])
    assert ran.returncode == 0
    assert heavy == []
    assert seconds < 0.6


def test_validate_imports_no_torch(python: Callable) -> None:
    """Its answer comes before any GPU time, and before torch's seconds."""
    probe = (
        "import sys\n"
        "from flows.cli import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print({'torch', 'prefect'} & set(sys.modules), file=sys.stderr)\n"
    )
    ran = python(probe, "validate", str(ROOT / "configs" / "demo.yaml"))
    assert (ran.returncode, ran.stderr.splitlines()[-1]) == (0, "set()")


def test_the_commands_of_this_version_are_there() -> None:
    wanted = "demo init validate doctor scenes preprocess train generate run verify info"
    assert set(COMMANDS) >= set(wanted.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(seg2real: Callable, command: str) -> None:
    said = seg2real(command, "--help")
    assert said.code == 0
    assert f"Example: seg2real {command}" in said.out


def test_no_summary_is_cut_off(seg2real: Callable) -> None:
    assert "..." not in seg2real("--help").out.replace("[ARGS]...", "")


WRONG_ARGUMENTS = [
    (["run", "{config}", "train.batch_sice=4"], "train.batch_sice: there is no such setting"),
    (["run", "{config}", "train.width=-1"], "train.width = -1"),
    (["run", "{config}", "nonsense"], "Override 'nonsense' is not of the form section.key=value"),
    (["run", "{folder}/nowhere.yaml"], "nowhere.yaml cannot be read"),
    (["run", "{config}", "palette=nowhere.yaml"], "nowhere.yaml cannot be read"),
    (["train", "{config}", "sources.labels=nowhere"], "nowhere does not exist"),
    (["generate", "{config}"], "holds no snapshot of these settings; train it first"),
    (["validate", "{folder}"], "cannot be read"),
    (["preprocess", "{folder}/nowhere.yaml"], "nowhere.yaml cannot be read"),
    (["verify", "{folder}/nowhere"], "nowhere is no dataset: it has no metadata.parquet"),
    (["verify", "{folder}"], "is no dataset: it has no metadata.parquet"),
    (["info", "{folder}"], "is no dataset: it has no metadata.parquet"),
    (["scenes", "{folder}/s", "--fov", "90", "60"], "fov_degrees: range (90.0, 60.0) runs backwards"),
    (["scenes", "{folder}/s", "--pitch", "chess"], "pitch: "),
    (["scenes", "{folder}/s", "--palette", "nowhere.yaml"], "nowhere.yaml cannot be read"),
    (["init", "{folder}/a.yaml", "--labels", "nowhere", "--photos", "."], "nowhere does not exist"),
    (["run", "{config}", "--colour"], "No such option: --colour"),
    (["rnu"], "No such command 'rnu'"),
]


@pytest.mark.parametrize(("arguments", "sentence"), WRONG_ARGUMENTS, ids=lambda value: str(value)[:40])
def test_a_wrong_argument_is_a_sentence_and_code_2(
    seg2real: Callable,
    tiny_file: Callable[..., Path],
    tmp_path: Path,
    arguments: list[str],
    sentence: str,
) -> None:
    config = tiny_file(tmp_path)
    said = seg2real(*(argument.format(config=config, folder=tmp_path) for argument in arguments))
    assert said.code == 2
    assert sentence in said.err
    assert "Traceback" not in said.err


FAILURES = [
    (Interrupted("Stopped.", signal.SIGINT), 130, "Error: Stopped."),
    (Interrupted("Stopped.", signal.SIGTERM), 143, "Error: Stopped."),
    (TooManyBadInputs("Nine of ten are bad."), 3, "Error: Nine of ten are bad."),
    (TrainingDiverged("It became nan."), 4, "Error: It became nan."),
    (KeyboardInterrupt(), 130, ""),
    (OSError(28, "No space left on device", "/data/a"), 1, "Error: /data/a: No space left on device."),
    (OSError(28, "No space left on device"), 1, "Error: No space left on device."),
    (OSError("The pipe is broken."), 1, "Error: The pipe is broken."),
    (CheckpointMismatch("Other settings."), 2, "Error: Other settings."),
    (SceneError("Other scenes."), 2, "Error: Other scenes."),
    (DeviceError("No device."), 2, "Error: No device."),
    (ValueError("Not ours."), 1, "Error: ValueError: Not ours. (not foreseen"),
    (KeyError("width"), 1, "Error: KeyError: 'width' (not foreseen; seg2real --verbose shows where"),
]


@pytest.mark.parametrize(("error", "code", "sentence"), FAILURES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("verbose", [False, True])
def test_each_end_has_its_code_and_tracebacks_are_for_verbose(
    seg2real: Callable,
    tiny_file: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    quiet_packages: None,
    error: BaseException,
    code: int,
    sentence: str,
    verbose: bool,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(pipeline.run, "run", fail)
    said = seg2real(*(["--verbose"] if verbose else []), "run", tiny_file(tmp_path))
    assert said.code == code
    assert sentence in said.err
    assert ("Traceback" in said.err) == (verbose and isinstance(error, Exception))


@pytest.mark.parametrize("name", EXIT_CODES)
def test_each_error_with_a_code_of_its_own_exists(name: str) -> None:
    module, _, kind = name.rpartition(".")
    assert issubclass(getattr(importlib.import_module(module), kind), Exception)


def test_what_numpy_refuses_is_not_foreseen(
    seg2real: Callable,
    tiny_file: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """NumPy is compiled: the last Python frame is ours, but the sentence is not."""
    monkeypatch.setattr("pipeline.validate.IMAGE_BYTES_PER_PX", {"png": np.zeros(2)})
    monkeypatch.setattr("pipeline.validate.LABEL_BYTES_PER_PX", np.zeros(3))
    said = seg2real("validate", tiny_file(tmp_path))
    assert said.code == 1
    assert "ValueError: operands could not be broadcast" in said.err and "not foreseen" in said.err


def test_a_value_that_the_project_refuses_needs_no_traceback(seg2real: Callable, tmp_path: Path) -> None:
    size = ["--num", "1", "--width", "32", "--height", "16"]
    assert seg2real("scenes", tmp_path / "s", *size).code == 0
    said = seg2real("scenes", tmp_path / "s", *size[:-1], "32")
    assert said.code == 2
    assert "holds scenes of another config (height was 16, now 32)" in said.err
    assert "not foreseen" not in said.err
    assert seg2real("scenes", tmp_path / "s", *size[:-1], "32", "--overwrite").code == 0
