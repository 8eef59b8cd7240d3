"""The flow on a real server: it does the whole job once, shows it, and fails as the plain run does."""

import base64
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import numpy as np
import pytest
from prefect import State, get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.objects import Artifact, Log, TaskRun

import flows.generate_soccer_dataset as module
from flows.cli import main
from flows.generate_soccer_dataset import generate_soccer_dataset
from gan.health import TrainingDiverged
from manifests.verification.verify import verify
from pipeline.config import ConfigError
from pipeline.images import decode_image
from pipeline.interruption import TrainingProcessDied
from pipeline.prepare import TooManyBadInputs

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.usefixtures("prefect_server")

STAGES = {"gather sources", "check sources", "train", "plan", "generate", "publish"}


class Ran(NamedTuple):
    config: Path
    state: State

    @property
    def flow_run(self) -> UUID:
        return self.state.state_details.flow_run_id


def test_a_run_begins_before_torch_is_imported() -> None:
    code = "import sys, flows.generate_soccer_dataset; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def _run(config: Path, changes: dict | None = None) -> Ran:
    return Ran(config, generate_soccer_dataset(config, changes, return_state=True))


def _task_runs(ran: Ran) -> dict[str, TaskRun]:
    """By the task's name; the server hears of them a moment later."""
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    wanted = FlowRunFilter(id=FlowRunFilterId(any_=[ran.flow_run]))
    with get_client(sync_client=True) as client:
        for _ in range(100):
            runs = client.read_task_runs(flow_run_filter=wanted)
            if runs and all(run.state is not None and run.state.is_final() for run in runs):
                break
            time.sleep(0.1)
    return {run.name.rpartition("-")[0]: run for run in runs}


def _artifacts(ran: Ran) -> dict[str, Artifact]:
    with get_client(sync_client=True) as client:
        wanted = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[ran.flow_run]))
        return {artifact.key: artifact for artifact in client.read_artifacts(artifact_filter=wanted)}


def _logs(ran: Ran, *, until: str) -> list[Log]:
    """Lines come in batches, every two seconds."""
    with get_client(sync_client=True) as client:
        for _ in range(150):
            logs = client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[ran.flow_run])), limit=200)
            if any(until in log.message for log in logs):
                return logs
            time.sleep(0.1)
    raise AssertionError(f"no line says '{until}'")


@pytest.fixture(scope="module")
def first(
    prefect_server: None, tiny_file: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Ran:
    return _run(tiny_file(tmp_path_factory.mktemp("first")))


@pytest.fixture
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries at once instead of in some seconds."""
    for name in ("gather", "prepare", "train", "plan", "generate", "commit"):
        monkeypatch.setattr(module, name, getattr(module, name).with_options(retry_delay_seconds=0))


def test_the_chain_completes_with_a_dataset_that_verifies(first: Ran) -> None:
    assert first.state.is_completed()
    result = first.state.result()
    assert (result.version, result.num_generated, result.num_images) == (1, 8, 8)
    assert verify(first.config.parent / "out").is_ok
    assert result.snapshot.exists() and result.contact_sheet.exists() and result.page.exists()


def test_each_stage_is_a_task(first: Ran) -> None:
    runs = _task_runs(first)
    assert set(runs) == STAGES
    assert all(run.state.is_completed() for run in runs.values())


def test_again_it_generates_and_publishes_nothing(first: Ran) -> None:
    output = first.config.parent / "out"
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*") if path.suffix != ".lock"}
    again = _run(first.config)
    assert again.state.is_completed()
    result = again.state.result()
    assert (result.version, result.num_generated, result.num_images) == (1, 0, 8)
    after = {path: path.stat().st_mtime_ns for path in output.rglob("*") if path.suffix != ".lock"}
    unchanged = {path for path in before if path.is_file()}
    assert {path: after.get(path) for path in unchanged} == {path: before[path] for path in unchanged}


def test_more_is_generated_when_more_is_asked_for(
    tiny_file: Callable[..., Path], tmp_path: Path, first: Ran
) -> None:
    more = _run(first.config, {"generate": {"variants": 2}})
    result = more.state.result()
    assert (result.version, result.num_generated, result.num_images) == (2, 8, 16)


def test_progress_ends_at_a_hundred_percent(first: Ran) -> None:
    bars = {key: artifact for key, artifact in _artifacts(first).items() if artifact.type == "progress"}
    assert set(bars) == {"draw-scenes", "check-sources", "train", "generate"}
    assert {artifact.data for artifact in bars.values()} == {100.0}


@pytest.mark.parametrize("key", ["training-preview", "dataset"])
def test_pictures_carry_themselves(first: Ran, key: str) -> None:
    uri = _artifacts(first)[key].data
    head, _, text = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    assert len(uri) < 100_000
    picture = decode_image(base64.b64decode(text, validate=True), Path("artifact"))
    assert picture.shape[2] == 3
    assert np.ptp(picture) > 100


def test_the_summary_says_what_there_is_now(first: Ran) -> None:
    text = _artifacts(first)["summary"].data
    for fact in (
        "version 1",
        "8 images",
        "| scenes | 8 | 0 |",
        "mIoU",
        str(first.config.parent / "out"),
        "snapshot-00000008",
    ):
        assert fact in text


def test_the_name_of_a_run_says_which_set_and_version(first: Ran) -> None:
    with get_client(sync_client=True) as client:
        assert client.read_flow_run(first.flow_run).name == "tiny: scenes (version 1)"


def test_the_report_is_a_link_away(first: Ran) -> None:
    assert (first.config.parent / "out" / "report" / "index.html").as_uri() in _artifacts(first)[
        "report"
    ].data


def test_lines_of_all_rooms_reach_the_server_and_only_those(first: Ran) -> None:
    logs = _logs(first, until="Published version 1")
    rooms = {log.name.partition(".")[0] for log in logs}
    assert rooms == {"prefect", "pipeline"}
    assert {log.level for log in logs if log.name.startswith("pipeline")} == {logging.INFO}
    assert any("labels and 5 photographs can be used" in log.message for log in logs)
    assert len(logs) < 40


def test_lines_know_their_task(first: Ran) -> None:
    logs = _logs(first, until="Published version 1")
    published = next(log for log in logs if "Published version 1" in log.message)
    assert published.task_run_id == _task_runs(first)["publish"].id


def test_gan_and_manifests_are_heard_too() -> None:
    from flows.prefect_settings import PACKAGES

    for name in PACKAGES:
        logger = logging.getLogger(name)
        assert logger.isEnabledFor(logging.INFO)
        assert "APILogHandler" in {type(handler).__name__ for handler in logger.handlers}


def _failing_once(monkeypatch: pytest.MonkeyPatch, stage: str) -> list[object]:
    """Let a stage fail at its first attempt, as a disk may; every attempt is noted."""
    attempts: list[object] = []
    whole = getattr(module, stage)

    def fail_once(*arguments: object) -> object:
        attempts.append(arguments)
        if len(attempts) == 1:
            raise OSError(5, "Input/output error", "/data/a.png")
        return whole(*arguments)

    monkeypatch.setattr(module, stage, fail_once)
    return attempts


@pytest.mark.usefixtures("without_waiting")
def test_what_may_pass_is_tried_again(
    tiny_file: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = _failing_once(monkeypatch, "prepare_stage")
    ran = _run(tiny_file(tmp_path))
    assert ran.state.is_completed()
    assert len(attempts) == 2
    assert _task_runs(ran)["check sources"].run_count == 2


@pytest.mark.usefixtures("without_waiting")
def test_what_a_run_brought_is_said_though_its_report_was_tried_again(
    tiny_file: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = _failing_once(monkeypatch, "report_stage")
    ran = _run(tiny_file(tmp_path))
    assert len(attempts) == 2
    assert "| scenes | 8 | 0 |" in _artifacts(ran)["summary"].data
    with get_client(sync_client=True) as client:
        assert client.read_flow_run(ran.flow_run).name == "tiny: scenes (version 1)"


class _Stage:
    """A stage that fails, and counts how often."""

    def __init__(self, error: Exception):
        self.error = error
        self.num_calls = 0

    def __call__(self, *_: object, **__: object) -> None:
        self.num_calls += 1
        raise self.error


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Exception], _Stage]]:
    def fail(error: Exception) -> _Stage:
        stage = _Stage(error)
        monkeypatch.setattr(module, "train_stage", stage)
        return stage

    return fail


@pytest.mark.usefixtures("without_waiting", "keep_signal_handlers")
@pytest.mark.parametrize(
    ("error", "code", "num_calls"),
    [
        (TrainingDiverged("cycle_a became nan before 400 images."), 4, 1),
        (TooManyBadInputs("9 of 10 labels cannot be used."), 3, 1),
        (ValueError("no such value"), 1, 1),
        (TrainingProcessDied("Training process 0 of 1 ended with SIGKILL."), 1, 3),
        (OSError(5, "Input/output error", "/data/a.png"), 1, 3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_on_purpose_is_not_tried_again_and_keeps_its_exit_code(
    first: Ran,
    failing: Callable[[Exception], _Stage],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    code: int,
    num_calls: int,
) -> None:
    stage = failing(error)
    monkeypatch.setattr(sys, "argv", ["seg2real", "run", "--flow", str(first.config)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == code
    assert stage.num_calls == num_calls
    said = capsys.readouterr().err
    assert f"Error: {error}" in said or "Error: /data/a.png: Input/output error." in said
    assert "Traceback" not in said


def test_a_wrong_parameter_is_refused_with_a_sentence(first: Ran, tmp_path: Path) -> None:
    missing = _run(tmp_path / "missing.yaml")
    assert missing.state.is_failed()
    with pytest.raises(ConfigError, match=r"missing\.yaml cannot be read"):
        missing.state.result()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"train": {"batch_sice": 4}}, r"train\.batch_sice: Extra inputs are not permitted"),
        ({"generate": {"variants": 0}}, r"generate\.variants: Input should be greater than or equal to 1"),
        ({"flow": {"runner": "spark"}}, r"flow\.runner: Input should be 'threads', 'ray' or 'dask'"),
        (4, "changes"),
    ],
    ids=str,
)
def test_changes_that_are_none_never_start(changes: object, sentence: str) -> None:
    from prefect.exceptions import ParameterTypeError

    with pytest.raises(ParameterTypeError, match=sentence):
        generate_soccer_dataset(Path("tiny.yaml"), changes)
