"""What figures depend on is said of the machine."""

import json
from pathlib import Path

import pytest

import pipeline.machine
from pipeline.machine import cpu_name, describe_machine


def test_it_says_what_speed_depends_on() -> None:
    found = describe_machine()
    assert found["num_cores"] >= 1 and found["cpu"] and found["cpu_capability"]
    assert isinstance(found["computes_in_bf16"], bool)
    assert json.loads(json.dumps(found)) == found


def test_a_system_that_does_not_tell_its_model_tells_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline.machine, "Path", lambda _: Path("/nowhere/cpuinfo"))
    monkeypatch.setattr(pipeline.machine.platform, "machine", lambda: "arm64")
    assert cpu_name() == "arm64"
