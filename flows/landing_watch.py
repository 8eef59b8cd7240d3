"""Watches landing folders, and tells Prefect when a set has landed: a run then starts in seconds.

Only the schedule is counted on: an event that is lost, or a watcher that fails, costs no more than time.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from prefect.events import emit_event
from watchfiles import watch

from flows.deployments import LANDED_EVENT, landing_resource
from manifests.durable import make_folders
from pipeline.config import RunConfig
from pipeline.sources.layouts import READY_FILE, landing_folder

__all__ = ["announce", "landing_folders", "watching"]

logger = logging.getLogger(__name__)

QUIET_MS = 1_000
"""Sets that land within such a time of each other are told of once."""
LOOK_EVERY_MS = 2_000
"""How often folders are looked into though nothing is heard of them."""


def landing_folders(config: RunConfig) -> list[Path]:
    """The landing folders that a run has on this machine; one that `sources.labels` itself names is made."""
    folders = []
    for root in config.sources.labels:
        folder = landing_folder(root)
        if folder == root:
            make_folders(folder)
        if folder.is_dir():
            folders.append(folder)
    return folders


@contextmanager
def watching(
    configs: Iterable[RunConfig], tell: Callable[[str, list[str]], None] | None = None
) -> Iterator[None]:
    """Watch the landing folders of runs in a thread within the block.

    Args:
        configs: the runs.
        tell: called with a run's name and the names of the sets; None = `announce`.
    """
    names: dict[Path, list[str]] = {}
    for config in configs:
        for folder in landing_folders(config):
            names.setdefault(folder, []).append(config.name)
    if not names:
        yield
        return
    stop = Event()
    thread = Thread(target=_watch, args=(names, tell or announce, stop), name="landing watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)


def announce(name: str, sets: list[str]) -> None:
    """Tell Prefect that sets of a run have landed, changed or gone."""
    emit_event(LANDED_EVENT, {"prefect.resource.id": landing_resource(name)}, payload={"sets": sets})


def _watch(names: Mapping[Path, list[str]], tell: Callable[[str, list[str]], None], stop: Event) -> None:
    seen = {folder: _markers(folder) for folder in names}
    for folder in names:
        logger.info("Watching %s", folder)
    # The system does not tell of files that come with their folder, or right after it: look for those.
    for _ in watch(
        *names,
        stop_event=stop,
        debounce=QUIET_MS,
        watch_filter=_is_marker,
        rust_timeout=LOOK_EVERY_MS,
        yield_on_timeout=True,
    ):
        for folder, runs in names.items():
            now = _markers(folder)
            sets = sorted({name for name, _ in now.items() ^ seen[folder].items()})
            seen[folder] = now
            for run in runs if sets else ():
                logger.info("Landed for %s: %s", run, ", ".join(sets))
                tell(run, sets)


def _markers(folder: Path) -> dict[str, int]:
    """Name of each set that is whole -> when it was marked as that."""
    found = {}
    for path in folder.glob(f"*/{READY_FILE}"):
        with suppress(FileNotFoundError):
            found[path.parent.name] = path.stat().st_mtime_ns
    return found


def _is_marker(_change: object, path: str) -> bool:
    return Path(path).name == READY_FILE
