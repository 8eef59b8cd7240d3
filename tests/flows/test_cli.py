"""The command line: it starts at once, explains itself, and turns every error into a sentence and a code."""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer

import pipeline.run
from flows.cli import EXIT_CODES, app, main
from gan.device import DeviceError
from gan.health import TrainingDiverged
from gan.training_state import CheckpointMismatch
from pipeline.config import load_config
from pipeline.interruption import Interrupted
from pipeline.prepare import TooManyBadInputs
from pipeline.scenes.config import ScenesConfig
from pipeline.scenes.drawing import SceneError

ROOT = Path(__file__).parent.parent.parent
COMMANDS = sorted(typer.main.get_command(app).commands)
START = "import sys; from flows.cli import main; sys.argv[0] = 'seg2real'; main()"

pytestmark = pytest.mark.usefixtures("keep_signal_handlers")


class Said:
    """What a command printed and returned."""

    def __init__(self, code: int, out: str, err: str):
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def seg2real(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def call(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["seg2real", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        return Said(left.value.code or 0, *capsys.readouterr())

    return call


def _environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **more}


def _python(code: str, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=_environment(), check=False, **options)


def test_help_starts_at_once_and_imports_nothing_heavy(tmp_path: Path) -> None:
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
    ran = _python(probe, cwd=tmp_path)
    seconds, heavy = json.loads(ran.stderr.splitlines()[-1])
    assert ran.returncode == 0
    assert heavy == []
    assert seconds < 0.6


def test_validate_imports_no_torch(tmp_path: Path) -> None:
    """Its answer comes before any GPU time, and before torch's seconds."""
    probe = (
        "import sys\n"
        "from flows.cli import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print({'torch', 'prefect'} & set(sys.modules), file=sys.stderr)\n"
    )
    ran = _python(probe, "validate", str(ROOT / "configs" / "demo.yaml"), cwd=tmp_path)
    assert (ran.returncode, ran.stderr.splitlines()[-1]) == (0, "set()")


def test_the_commands_of_this_version_are_there() -> None:
    wanted = "demo init validate doctor scenes preprocess train generate run verify info"
    assert set(COMMANDS) >= set(wanted.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(seg2real: Callable[..., Said], command: str) -> None:
    said = seg2real(command, "--help")
    assert said.code == 0
    assert f"Example: seg2real {command}" in said.out


def test_no_summary_is_cut_off(seg2real: Callable[..., Said]) -> None:
    assert "..." not in seg2real("--help").out.replace("[ARGS]...", "")


@pytest.mark.parametrize("command", ["run", "train", "generate"])
def test_a_dry_run_shows_the_config_and_does_nothing(
    seg2real: Callable[..., Said], write_config: Callable[..., Path], tmp_path: Path, command: str
) -> None:
    said = seg2real(command, write_config(tmp_path), "train.batch_size=4", "--dry-run")
    assert said.code == 0
    (tmp_path / "resolved.yaml").write_text(said.out)
    assert load_config(tmp_path / "resolved.yaml").train.batch_size == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["resolved.yaml", "tiny.yaml"]


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
    (["verify", "{folder}/nowhere"], "nowhere is no dataset: there is no such folder"),
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
    seg2real: Callable[..., Said],
    write_config: Callable[..., Path],
    tmp_path: Path,
    arguments: list[str],
    sentence: str,
) -> None:
    config = write_config(tmp_path)
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
    seg2real: Callable[..., Said],
    write_config: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    quiet_packages: None,
    error: BaseException,
    code: int,
    sentence: str,
    verbose: bool,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(pipeline.run, "run", fail)
    said = seg2real(*(["--verbose"] if verbose else []), "run", write_config(tmp_path))
    assert said.code == code
    assert sentence in said.err
    assert ("Traceback" in said.err) == (verbose and isinstance(error, Exception))


@pytest.mark.parametrize("name", EXIT_CODES)
def test_each_error_with_a_code_of_its_own_exists(name: str) -> None:
    module, _, kind = name.rpartition(".")
    assert issubclass(getattr(importlib.import_module(module), kind), Exception)


def test_what_numpy_refuses_is_not_foreseen(
    seg2real: Callable[..., Said],
    write_config: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """NumPy is compiled: the last Python frame is ours, but the sentence is not."""
    monkeypatch.setattr("pipeline.validate.IMAGE_BYTES_PER_PX", {"png": np.zeros(2)})
    monkeypatch.setattr("pipeline.validate.LABEL_BYTES_PER_PX", np.zeros(3))
    said = seg2real("validate", write_config(tmp_path))
    assert said.code == 1
    assert "ValueError: operands could not be broadcast" in said.err and "not foreseen" in said.err


def test_a_value_that_the_project_refuses_needs_no_traceback(
    seg2real: Callable[..., Said], tmp_path: Path
) -> None:
    size = ["--num", "1", "--width", "32", "--height", "16"]
    assert seg2real("scenes", tmp_path / "s", *size).code == 0
    said = seg2real("scenes", tmp_path / "s", *size[:-1], "32")
    assert said.code == 2
    assert "holds scenes of another config (height was 16, now 32)" in said.err
    assert "not foreseen" not in said.err
    assert seg2real("scenes", tmp_path / "s", *size[:-1], "32", "--overwrite").code == 0


def test_scenes_options_have_the_config_s_defaults_and_reach_it(
    seg2real: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[ScenesConfig] = []
    monkeypatch.setattr(
        "pipeline.scenes.drawing.draw_scenes", lambda _out, config, *_, **__: drawn.append(config)
    )
    assert seg2real("scenes", tmp_path).code == 0
    assert drawn.pop() == ScenesConfig()
    options = (
        "--num 7 --photos 3 --pitch robocup-msl --lens fisheye --width 64 --height 48 --fov 105 115 "
        "--camera-height 0.7 0.8 --pitch-angle -4 3 --roll -2 2 --image-circle 1.2 1.4 "
        "--centre-offset -0.02 0.03 --balls 1 2 --robots 0 5 --people 0 1 --no-label-ball --no-label-goal "
        "--no-label-robot --border 1 2 --seed 9"
    )
    assert seg2real("scenes", tmp_path, *options.split()).code == 0
    assert drawn.pop() == ScenesConfig(
        num=7,
        num_photos=3,
        pitch="robocup-msl",
        lens="equidistant",
        width=64,
        height=48,
        fov_degrees=(105, 115),
        camera_height_m=(0.7, 0.8),
        pitch_degrees=(-4, 3),
        roll_degrees=(-2, 2),
        image_circle=(1.2, 1.4),
        centre_offset=(-0.02, 0.03),
        num_balls=(1, 2),
        num_robots=(0, 5),
        num_people=(0, 1),
        label_ball=False,
        label_goal=False,
        label_robot=False,
        border_m=(1, 2),
        seed=9,
    )


def test_from_drawn_scenes_to_a_first_config_that_validates(
    seg2real: Callable[..., Said], tmp_path: Path
) -> None:
    size = ["--num", "6", "--photos", "5", "--width", "192", "--height", "144"]
    assert seg2real("scenes", tmp_path / "mine", *size).code == 0
    config = tmp_path / "mine.yaml"
    folders = ["--labels", tmp_path / "mine", "--photos", tmp_path / "mine"]
    assert seg2real("init", config, *folders).code == 0
    assert "0 errors, 0 warnings" in seg2real("validate", config).out
    again = seg2real("init", config, *folders)
    assert (again.code, "is not replaced" in again.err) == (2, True)


@pytest.mark.usefixtures("one_thread")
def test_doctor_says_what_is_well_and_what_to_do(
    seg2real: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = seg2real("doctor", "--folder", tmp_path)
    assert said.code == 0
    looked_at = [line.split()[1] for line in said.out.splitlines()]
    assert looked_at == ["Python", "torch", "device", "OpenCV", "space", "files", "Prefect", "server"]
    assert all(line.startswith("ok ") for line in said.out.splitlines())

    monkeypatch.setattr("pipeline.doctor.LEAST_FREE_BYTES", 10**18)
    said = seg2real("doctor", "--folder", tmp_path)
    assert said.code == 1
    assert "FAIL  space" in said.out
    assert "-> make room or choose another folder" in said.out


def test_preprocess_needs_no_photographs(
    seg2real: Callable[..., Said], write_config: Callable[..., Path], tmp_path: Path
) -> None:
    config = write_config(tmp_path, scenes={"num": 2, "num_photos": 0})
    said = seg2real("preprocess", config, "--out", tmp_path / "seen")
    assert (said.code, said.err.count("Error")) == (0, 0)
    assert len(list((tmp_path / "seen").rglob("conditioning/*/segTrain/*.png"))) == 2


@pytest.mark.usefixtures("one_thread")
def test_run_verify_and_info_on_a_tiny_run(
    seg2real: Callable[..., Said], write_config: Callable[..., Path], tmp_path: Path
) -> None:
    config, output = write_config(tmp_path), tmp_path / "output"
    said = seg2real("run", config)
    assert (said.code, "version 1, 5 images, 5 of them new" in said.out) == (0, True)
    assert "version 1, 5 images, 0 of them new" in seg2real("generate", config).out
    said = seg2real("verify", output)
    assert (said.code, "5 rows hashed and decoded: all is well" in said.out) == (0, True)
    said = seg2real("info", output)
    assert "robot" in said.out and "train" in said.out

    next((output / "images").rglob("*.png")).unlink()
    said = seg2real("verify", "--fast", output)
    assert (said.code, "the image cannot be opened" in said.out) == (3, True)


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

    def __init__(self, folder: Path, config: Path):
        self.folder, self.home = folder, folder / "prefect-home"
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, "run", "--flow", str(config)],
            cwd=folder,
            env=_environment(PREFECT_HOME=str(self.home)),
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
    write_config: Callable[..., Path], tmp_path: Path
) -> None:
    """SIGTERM comes to the run alone; Ctrl-C at a terminal to the run and its server."""
    settings = {"total_images": 100_000, "snapshot_every_images": 100_000, "checkpoint_every_images": 100_000}
    started = []
    for name in ("terminated", "at a terminal"):
        (tmp_path / name).mkdir()
        started.append(_Flow(tmp_path / name, write_config(tmp_path / name, train=settings)))
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
