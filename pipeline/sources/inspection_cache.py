"""Remembers what good files hold, so that a second run opens only what has changed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from manifests.durable import make_folders, write_durable
from pipeline.config import SourcesConfig, fingerprint
from pipeline.palette import Palette

__all__ = ["InspectionCache"]

CHECK_NUMBER = 1
"""Raised whenever the same file may be judged otherwise, which empties the caches."""


class InspectionCache:
    """Facts of good files, kept between runs; a file is known by its path, size and time of change."""

    def __init__(self, path: Path, sources: SourcesConfig, palette: Palette):
        limits = sources.model_dump(include={"max_megapixels", "antialiased_edges"})
        self._path = path
        self._fingerprint = fingerprint({"check": CHECK_NUMBER}, limits, palette)
        self._remembered = _read(path, self._fingerprint)
        self._entries: dict[str, list[Any]] = {}

    def look(self, kind: str, path: Path, inspect: Callable[[], Any]) -> Any:
        """The facts of a file as JSON values: remembered, or from `inspect` and then remembered.

        What `inspect` raises is passed on and not remembered.
        """
        try:
            stat = path.stat()
        except OSError:
            return inspect()
        key, stamp = f"{kind}:{path}", [stat.st_size, stat.st_mtime_ns]
        entry = self._remembered.get(key)
        if entry is None or entry[0] != stamp:
            entry = [stamp, inspect()]
        self._entries[key] = entry
        return entry[1]

    def save(self) -> None:
        """Write what was looked at since the start, if that is news; files that are gone are forgotten."""
        if self._entries != self._remembered:
            make_folders(self._path.parent)
            content = {"fingerprint": self._fingerprint, "files": self._entries}
            write_durable(self._path, json.dumps(content).encode())
            self._remembered = self._entries


def _read(path: Path, fingerprint: str) -> dict[str, list[Any]]:
    """Entries of a cache file; {} where there is none, or one of another make or other settings."""
    try:
        stored = json.loads(path.read_bytes())
        return dict(stored["files"]) if stored["fingerprint"] == fingerprint else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
