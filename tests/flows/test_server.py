"""Which server is used, and what is said of one that cannot be."""

import threading
from base64 import b64decode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from flows.parameters import UsageError
from flows.server import require_server

PASSWORD = "admin:secret"


class _Server(BaseHTTPRequestHandler):
    """Answers as Prefect's server with a password does: the health to all, the rest to those who know it."""

    def do_GET(self) -> None:
        scheme, _, said = self.headers.get("Authorization", "").partition(" ")
        knows = scheme == "Basic" and b64decode(said).decode() == PASSWORD
        self.send_response(200 if self.path == "/api/health" or knows else 401)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Server) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_other_server(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    for name in ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_server_it_says_how_to_start_one() -> None:
    with pytest.raises(UsageError, match="start one with prefect server start"):
        require_server()


def test_one_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with pytest.raises(UsageError, match=r"127\.0\.0\.1:9/api does not answer"):
        require_server()


@pytest.mark.parametrize("password", [None, "admin:wrong", "nothing"])
def test_without_its_password_it_says_which_variable_is_missing(
    url: str, monkeypatch: pytest.MonkeyPatch, password: str | None
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", url)
    if password is not None:
        monkeypatch.setenv("PREFECT_API_AUTH_STRING", password)
    with pytest.raises(UsageError, match="set PREFECT_API_AUTH_STRING"):
        require_server()


def test_with_its_password_it_is_used(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", url)
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", PASSWORD)
    assert require_server() == url
