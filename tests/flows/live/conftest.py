"""A live `seg2real up`, and what its user and a renderer do with it."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import cv2
import httpx
import numpy as np
import psutil
import pytest

from flows.deployments import LANDED_EVENT, landing_resource

ROOT = Path(__file__).parent.parent.parent.parent


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

    def drawn(self) -> list[np.ndarray]:
        """The labels that the run drew itself, uint8 [H, W, 3]."""
        return [cv2.imread(str(path)) for path in sorted((self.folder / "run/scenes/segTrain").glob("*.png"))]

    def land(self, name: str, labels: Iterable[np.ndarray]) -> None:
        """Let a set land, as a renderer does."""
        folder = self.folder / "data" / "incoming" / name
        folder.mkdir()
        for number, label in enumerate(labels):
            cv2.imwrite(str(folder / f"{name}-{number}.png"), label)
        (folder / "_READY").touch()

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
