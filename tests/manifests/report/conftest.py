"""A dataset with hostile names, and a real browser to look at its page."""

import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

HOSTILE = "<img src=x onerror=\"document.title='broken'\">'</script>&amp;"

KEY_CODES = {"Escape": 27, "ArrowLeft": 37, "ArrowRight": 39}


class Browser:
    """A page in headless Chromium, spoken to by its DevTools protocol."""

    def __init__(self, socket: Any):
        self._socket = socket
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []
        """What the page has logged, thrown or requested."""
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(timeout=30))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def open(self, path: Path) -> None:
        self.call("Page.navigate", url=path.as_uri())
        deadline = time.monotonic() + 30
        while self.run("document.readyState") != "complete" or not self.run(
            "!!document.getElementById('count')"
        ):
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def run(self, expression: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        text = {"text": key} if len(key) == 1 else {}
        text |= {"windowsVirtualKeyCode": KEY_CODES[key]} if key in KEY_CODES else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    def choose(self, element: str, value: object) -> None:
        """Set a field as a person would."""
        self.run(
            f"(() => {{ const field = document.getElementById('{element}');"
            f" field.value = {json.dumps(value)};"
            " field.dispatchEvent(new Event('input', {bubbles: true})); })()"
        )


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """Without a network: no name resolves."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("this machine has no Chromium")
    profile = tmp_path / "profile"
    command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    command += [f"--user-data-dir={profile}", "--host-resolver-rules=MAP * ~NOTFOUND", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port = profile / "DevToolsActivePort"
        deadline = time.monotonic() + 60
        while not (port.exists() and port.read_text().count("\n")):
            assert process.poll() is None and time.monotonic() < deadline, "Chromium did not start"
            time.sleep(0.05)
        number, path = port.read_text().split("\n")[:2]
        with connect(f"ws://127.0.0.1:{number}{path}", max_size=None) as socket:
            control = Control(socket)
            with connect(f"ws://127.0.0.1:{number}/devtools/page/{control.page()}", max_size=None) as page:
                yield Browser(page)
    finally:
        process.terminate()
        process.wait()


class Control:
    """The browser itself."""

    def __init__(self, socket: Any):
        self._socket = socket

    def page(self) -> str:
        """Id of its page."""
        self._socket.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
        targets = json.loads(self._socket.recv(timeout=30))["result"]["targetInfos"]
        return next(target["targetId"] for target in targets if target["type"] == "page")


@pytest.fixture
def dataset(tmp_path: Path, write_pair: Callable, palette: dict) -> Path:
    """Twelve samples: one rejected, one of a hostile name and reason, one whose image is gone."""
    from manifests.commit import commit
    from manifests.schema import to_table

    root = tmp_path / "dataset"
    records = [write_pair(root, f"{number:02d}", mask_coverage=number / 20) for number in range(10)]
    for name, changes in {
        "hostile": {"sample_id": HOSTILE, "source_label": HOSTILE, "mask_coverage": 0.9},
        "rejected": {"accepted": False, "reject_reason": HOSTILE, "mask_coverage": 0.8},
    }.items():
        records.append(write_pair(root, name, **changes))
    commit(root, to_table(records, palette=palette), message=HOSTILE)
    (root / records[3].image_file_name).unlink()
    return root
