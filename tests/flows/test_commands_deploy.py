"""`seg2real up` and `deploy` as their user has them: landing sets, Prefect's own commands, and the end of it.

One server serves these tests in turn, as it takes half a minute to start.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import cv2
import httpx
import psutil
import pytest

from flows.deployments import LANDED_EVENT, landing_resource
from manifests.manifest import Manifest
from manifests.verification.verify import verify

pytestmark = pytest.mark.timeout(600)  # of each: servers start several times

ROOT = Path(__file__).parent.parent.parent
LONG = {"train": {"total_images": 1_000_000, "snapshot_every_images": 1_000_000}}
SLACK = 4
"""How many times longer than promised something may take on a machine that does other work."""


class Up(NamedTuple):
    process: subprocess.Popen
    folder: Path
    log: Path
    environment: dict[str, str]
    url: str

    @property
    def output(self) -> Path:
        return self.folder / "out"

    def said(self) -> str:
        return self.log.read_text()

    def wait_for(self, what: str, seconds: float = 120, *, after: int = 0) -> int:
        """Wait until the log says something, from a place in it on; return the place behind it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if (place := self.said().find(what, after)) >= 0:
                return place + len(what)
            assert self.process.poll() is None, self.said()
            time.sleep(0.1)
        raise AssertionError(f"'{what}' was not said within {seconds} s:\n{self.said()}")

    def prefect(self, *arguments: str) -> subprocess.CompletedProcess:
        """Prefect's own command, in the project's folder."""
        command = [str(Path(sys.executable).with_name("prefect"))]
        return subprocess.run(
            [*command, *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True
        )

    def asked_run(self, changes: dict) -> tuple[str, dict]:
        """Where to ask for a run, and its parameters."""
        where = f"{self.url}/deployments/name/generate-soccer-dataset/soccer"
        deployment = httpx.get(where, timeout=60).json()
        parameters = deployment["parameters"] | {"changes": changes}
        return f"deployments/{deployment['id']}/create_flow_run", parameters

    def start(self, changes: dict) -> str:
        """Begin a run; return its id."""
        path, parameters = self.asked_run(changes)
        return self.post(path, {"state": {"type": "SCHEDULED"}, "parameters": parameters})["id"]

    def post(self, path: str, content: object) -> Any:
        """Ask the server; where its database is busy, it says so, and is asked again."""
        for _ in range(20):
            answer = httpx.post(f"{self.url}/{path}", json=content, timeout=60)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(1)
        content = answer.raise_for_status().content
        return json.loads(content) if content else None

    def state(self, run: str) -> str:
        return httpx.get(f"{self.url}/flow_runs/{run}", timeout=60).json()["state"]["type"]

    def states(self) -> dict[str, str]:
        """Of all runs but those that the schedule has made: id -> state."""
        runs = self.post("flow_runs/filter", {})
        return {run["id"]: run["state"]["type"] for run in runs if not run["auto_scheduled"]}

    def announce(self, name: str) -> None:
        """Say that a set has landed, as the watcher does and others may."""
        event = {
            "id": str(uuid4()),
            "occurred": datetime.now(UTC).isoformat(),
            "event": LANDED_EVENT,
            "resource": {"prefect.resource.id": landing_resource("soccer")},
            "payload": {"sets": [name]},
        }
        self.post("events", [event])

    def num_announced(self) -> int:
        asked = {"filter": {"event": {"name": [LANDED_EVENT]}}}
        return self.post("events/filter", asked)["total"]

    def below(self) -> list[psutil.Process]:
        """The processes of flow runs, and what they have started."""
        return [
            each
            for child in psutil.Process(self.process.pid).children()
            if "prefect.engine" in child.cmdline()
            for each in (child, *child.children(recursive=True))
        ]


@pytest.fixture(scope="module")
def start_up(
    tiny_file: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Up]]:
    """Start `seg2real up`, each time on the same folder."""
    folder = tmp_path_factory.mktemp("up")
    (folder / "data" / "incoming").mkdir(parents=True)
    config = tiny_file(folder, name="soccer", sources={"labels": "data/incoming"}, flow={"every_minutes": 60})
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment = own | {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "PREFECT_HOME": str(folder / "prefect"),
        "TMPDIR": str(folder),  # the lock of the device lies there
    }
    started: list[subprocess.Popen] = []

    def start() -> Up:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = folder / f"up-{len(started)}.log"
        command = [sys.executable, "-c", "from flows.cli import main; main()"]
        with open(log, "w") as file:
            process = subprocess.Popen(
                [*command, "up", str(config), "--port", str(port)],
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=folder,
                start_new_session=True,
            )
        started.append(process)
        return Up(process, folder, log, environment, f"http://127.0.0.1:{port}/api")

    yield start
    for process in started:
        if process.poll() is None:
            for each in psutil.Process(process.pid).children(recursive=True):
                each.kill()
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def up(start_up: Callable[[], Up]) -> Up:
    return start_up()


@pytest.fixture(scope="module")
def after_the_crash(start_up: Callable[[], Up]) -> Up:
    """Started again where a server was killed."""
    return start_up()


def _land(up: Up, name: str, *, numbers: range) -> None:
    """A set of drawn labels, mirrored so that they are new."""
    folder = up.folder / "data" / "incoming" / name
    folder.mkdir()
    drawn = sorted((up.folder / "run" / "scenes" / "segTrain").glob("*.png"))
    for number in numbers:
        cv2.imwrite(str(folder / f"{name}-{number}.png"), cv2.imread(str(drawn[number]))[:, ::-1])
    (folder / "_READY").touch()


def test_it_makes_the_dataset_at_once(up: Up) -> None:
    up.wait_for("Published version 1: 8 images", 240)
    up.wait_for("Finished in state Completed()", after=up.wait_for("publish"))
    assert verify(up.output).is_ok
    assert f"generate-soccer-dataset/soccer: {up.output}" in up.said()


def test_a_set_that_lands_is_drawn_within_seconds_and_once_however_often_it_is_announced(up: Up) -> None:
    place = len(up.said())
    begin = time.monotonic()
    _land(up, "night", numbers=range(3))
    for _ in range(4):
        up.announce("night")
    place = up.wait_for("Beginning flow run", after=place)
    assert time.monotonic() - begin < 10 * SLACK
    up.wait_for("Published version 2: 3 images", after=place)
    _until(lambda: up.num_announced() == 5)
    _until(lambda: set(up.states().values()) == {"COMPLETED"}, 240)
    assert len(up.states()) == 1 + 5
    assert Manifest.open(up.output).version == 2
    sets = [row.source_set for row in Manifest.open(up.output).records]
    assert sorted(sets) == ["night"] * 3 + ["scenes"] * 8


def test_a_bad_set_is_told_and_the_good_one_beside_it_is_drawn(up: Up) -> None:
    place = len(up.said())
    bad = up.folder / "data" / "incoming" / "bad"
    bad.mkdir()
    (bad / "a.png").write_bytes(b"no picture")
    (bad / "_READY").touch()
    _land(up, "rain", numbers=range(3, 5))
    up.wait_for("Published version 3: 2 images", after=place)
    [line] = (up.output / "_quarantine" / "bad_sets.jsonl").read_text().splitlines()
    assert json.loads(line)["set"] == str(bad)


def test_the_flows_name_alone_starts_a_run(up: Up) -> None:
    before = up.states()
    for name in ("generate-soccer-dataset", "generate-soccer-dataset/soccer"):
        ran = up.prefect("deployment", "run", name)
        assert ran.returncode == 0, ran.stderr
        assert "generate-soccer-dataset/soccer" in ran.stdout
    assert len(up.states()) == len(before) + 2
    _until(lambda: set(up.states().values()) == {"COMPLETED"}, 240)
    missing = up.prefect("deployment", "run", "generate-tennis-dataset")
    assert missing.returncode == 1
    assert "flow 'generate-tennis-dataset' has no deployment" in missing.stderr


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"generate": {"variants": 0}}, "0 is less than the minimum of 1"),
        ({"generate": {"variant": 2}}, "'variant' was unexpected"),
        ({"flow": {"runner": "spark"}}, "'spark'"),
    ],
    ids=str,
)
def test_a_wrong_key_or_value_is_refused_before_a_run_is_made(up: Up, changes: dict, sentence: str) -> None:
    path, parameters = up.asked_run(changes)
    asked = {"parameters": parameters, "enforce_parameter_schema": True}
    made = httpx.post(f"{up.url}/{path}", json=asked, timeout=60)
    assert made.status_code in (409, 422)
    assert sentence in made.text


def test_a_run_that_is_cancelled_ends_with_a_checkpoint_and_leaves_no_process(up: Up) -> None:
    place = len(up.said())
    run = up.start(LONG)
    up.wait_for("Resumed at 8 of 1000000 images", 180, after=place)
    processes = up.below()
    assert len(processes) >= 2
    begin = time.monotonic()
    up.post(f"flow_runs/{run}/set_state", {"state": {"type": "CANCELLING"}})
    _, alive = psutil.wait_procs(processes, 15 * SLACK)
    assert not alive
    assert time.monotonic() - begin < 15 * SLACK
    _until(lambda: up.state(run) == "CANCELLED")
    newest = max(int(path.stem.split("-")[1]) for path in (up.folder / "run" / "checkpoints").glob("*.pt"))
    assert newest > 8


@pytest.mark.parametrize("pair", ["image", "=seg2real", "volumes=[unclosed"])
def test_a_job_variable_is_a_key_and_yaml(pair: str, tiny_file, tmp_path: Path, seg2real) -> None:
    said = seg2real("deploy", tiny_file(tmp_path), "--job-variable", pair)
    assert said.code == 2
    assert f"'{pair}' is no" in said.err


def test_ctrl_c_ends_all_of_it(up: Up) -> None:
    place = len(up.said())
    up.start(LONG)
    up.wait_for("Resumed at", 240, after=place)
    everything = psutil.Process(up.process.pid).children(recursive=True)
    assert len(everything) >= 3
    os.killpg(up.process.pid, signal.SIGINT)
    assert up.process.wait(60) == 0
    _, alive = psutil.wait_procs(everything, 15)
    assert not alive
    # The server was there to hear of it, and is gone now.
    assert re.search(r"Flow run 'tiny' - Finished in state (Crashed|Failed)", up.said()[place:])
    assert not (up.folder / "prefect" / "seg2real-server.json").exists()
    assert verify(up.output).is_ok


def test_a_server_that_is_killed_amid_landings_loses_none(
    up: Up, start_up: Callable[[], Up], request: pytest.FixtureRequest
) -> None:
    assert up.process.poll() is not None  # the one of the other tests
    again = start_up()
    again.wait_for("Watching", 240)
    for number in range(15):
        _land_one(up, number)
    [server] = [each for each in psutil.Process(again.process.pid).children() if "server" in each.cmdline()]
    server.kill()
    for number in range(15, 30):
        _land_one(up, number)
    assert again.process.wait(180) == 1
    assert "The Prefect server has ended with exit code -9" in again.said()
    request.getfixturevalue("after_the_crash")
    wanted = {f"landing-{number}" for number in range(30)}

    def drawn() -> list[str]:
        return [row.source_set for row in Manifest.open(up.output).records if row.source_set in wanted]

    _until(lambda: set(drawn()) == wanted, 240)
    assert len(drawn()) == 30
    assert verify(up.output).is_ok


def test_a_training_dies_with_its_flow_run(after_the_crash: Up) -> None:
    """The last one: the slot of the device stays taken for a minute."""
    up = after_the_crash
    place = len(up.said())
    run = up.start(LONG)
    up.wait_for("Resumed at", 240, after=place)
    processes = up.below()
    processes[0].kill()
    _, alive = psutil.wait_procs(processes, 15 * SLACK)
    assert not alive
    _until(lambda: up.state(run) == "CRASHED")


def _land_one(up: Up, number: int) -> None:
    """A set of one label that no other set has."""
    folder = up.folder / "data" / "incoming" / f"landing-{number}"
    folder.mkdir()
    label = cv2.imread(str(next((up.folder / "run" / "scenes" / "segTrain").glob("*.png"))))
    label.reshape(-1, 3)[: number + 1] = 255
    cv2.imwrite(str(folder / "a.png"), label)
    (folder / "_READY").touch()


def _until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.2)
