"""`seg2real up` as its user has it: landing sets, Prefect's own commands, and the end of it.

One server serves these tests in turn, as it takes half a minute to start.
"""

import json
import os
import re
import signal
import time
from collections.abc import Callable

import httpx
import numpy as np
import psutil
import pytest

from manifests.manifest import Manifest
from manifests.verification.verify import verify

pytestmark = pytest.mark.timeout(600)  # of each: servers start several times

LONG = {"train": {"total_images": 1_000_000, "snapshot_every_images": 1_000_000}}
SLACK = 4
"""How many times longer than promised something may take on a machine that does other work."""


def test_it_makes_the_dataset_at_once(up) -> None:
    up.wait_for("Published version 1: 8 images", 240)
    up.wait_for("Finished in state Completed()", after=up.wait_for("publish"))
    assert verify(up.output).is_ok
    assert f"generate-soccer-dataset/soccer: {up.output}" in up.said()


def test_a_set_that_lands_is_drawn_within_seconds_and_once_however_often_it_is_announced(up) -> None:
    place = len(up.said())
    begin = time.monotonic()
    up.land("night", [label[:, ::-1] for label in up.drawn()[:3]])
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


def test_a_bad_set_is_told_and_the_good_one_beside_it_is_drawn(up) -> None:
    place = len(up.said())
    bad = up.folder / "data" / "incoming" / "bad"
    bad.mkdir()
    (bad / "a.png").write_bytes(b"no picture")
    (bad / "_READY").touch()
    up.land("rain", [label[:, ::-1] for label in up.drawn()[3:5]])
    up.wait_for("Published version 3: 2 images", after=place)
    [line] = (up.output / "_quarantine" / "bad_sets.jsonl").read_text().splitlines()
    assert json.loads(line)["set"] == str(bad)


def test_the_flows_name_alone_starts_a_run(up) -> None:
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
def test_a_wrong_key_or_value_is_refused_before_a_run_is_made(up, changes: dict, sentence: str) -> None:
    path, parameters = up.asked_run(changes)
    asked = {"parameters": parameters, "enforce_parameter_schema": True}
    made = httpx.post(f"{up.url}/{path}", json=asked, timeout=60)
    assert made.status_code in (409, 422)
    assert sentence in made.text


def test_a_run_that_is_cancelled_ends_with_a_checkpoint_and_leaves_no_process(up) -> None:
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


def test_ctrl_c_ends_all_of_it(up) -> None:
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
    up, start_up, request: pytest.FixtureRequest
) -> None:
    assert up.process.poll() is not None  # the one of the other tests
    again, label = start_up(), up.drawn()[0]
    again.wait_for("Watching", 240)
    for number in range(15):
        up.land(f"landing-{number}", [_with_white(label, number + 1)])
    [server] = [each for each in psutil.Process(again.process.pid).children() if "server" in each.cmdline()]
    server.kill()
    for number in range(15, 30):
        up.land(f"landing-{number}", [_with_white(label, number + 1)])
    assert again.process.wait(180) == 1
    assert "The Prefect server has ended with exit code -9" in again.said()
    request.getfixturevalue("after_the_crash")
    wanted = {f"landing-{number}" for number in range(30)}

    def drawn() -> list[str]:
        return [row.source_set for row in Manifest.open(up.output).records if row.source_set in wanted]

    _until(lambda: set(drawn()) == wanted, 240)
    assert len(drawn()) == 30
    assert verify(up.output).is_ok


def test_a_training_dies_with_its_flow_run(after_the_crash) -> None:
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


def _with_white(label: np.ndarray, num_px: int) -> np.ndarray:
    """With its first pixels white: a label that no other set has."""
    changed = label.copy()
    changed.reshape(-1, 3)[:num_px] = 255
    return changed


def _until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.2)
