"""Where `seg2real up` notes the server that it has started, for other processes of the same user.

Imports no Prefect, which looks here while it is being imported.
"""

import json
import os
from pathlib import Path

from manifests.durable import make_folders, write_durable

__all__ = ["note_server", "running_server"]


def note_server(url: str, pid: int) -> Path:
    """Note a server's API URL and its process; return the file, to remove when it ends."""
    path = _path()
    make_folders(path.parent)
    write_durable(path, json.dumps({"url": url, "pid": pid}).encode())
    return path


def running_server() -> str | None:
    """The API URL of the server that was noted, if its process lives."""
    try:
        noted = json.loads(_path().read_bytes())
        os.kill(noted["pid"], 0)
    except (OSError, ValueError):
        return None
    return noted["url"]


def _path() -> Path:
    home = os.environ.get("PREFECT_HOME") or Path.home() / ".prefect"
    return Path(home) / "seg2real-server.json"
