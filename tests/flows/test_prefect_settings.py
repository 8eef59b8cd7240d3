"""Settings that hold wherever a flow is started, and give way to the user's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.prefect_check import check_prefect

ROOT = Path(__file__).parent.parent.parent
PROBE = """
import json
import flows
from prefect.settings import get_current_settings
settings = get_current_settings()
print(json.dumps([
    settings.server.analytics_enabled,
    settings.server.ephemeral.startup_timeout_seconds,
    sorted(settings.logging.extra_loggers),
]))
"""


@pytest.mark.parametrize(
    ("set_by_user", "expected"),
    [
        ({}, [False, 120, ["flows", "gan", "manifests", "pipeline"]]),
        (
            {"PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300"},
            [False, 300, ["flows", "gan", "manifests", "pipeline"]],
        ),
    ],
    ids=["defaults", "the user's own"],
)
def test_far_from_the_project_prefect_has_our_settings_or_the_users(
    tmp_path: Path, set_by_user: dict[str, str], expected: list
) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
    environment = {**own, "PYTHONPATH": str(ROOT), "PREFECT_HOME": str(tmp_path), **set_by_user}
    ran = subprocess.run(
        [sys.executable, "-c", PROBE],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout) == expected


@pytest.mark.parametrize(("fastapi", "is_ok"), [("0.150.0", True), ("0.151.0", False), ("missing", True)])
def test_a_fastapi_that_breaks_the_server_is_found(
    monkeypatch: pytest.MonkeyPatch, fastapi: str, is_ok: bool
) -> None:
    versions = {"prefect": "3.8.8", "fastapi": fastapi}
    monkeypatch.setattr("flows.prefect_check.version_of", versions.get)
    assert next(check_prefect()).is_ok == is_ok


def test_a_server_that_does_not_answer_is_found() -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings(updates={PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        *_, server = check_prefect()
    assert (server.name, server.is_ok) == ("server", False)
    assert "prefect server start" in server.what_to_do
