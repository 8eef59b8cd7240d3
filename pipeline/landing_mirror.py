"""Copies of the sets that have landed in an object store: looked at by name, fetched where they changed."""

import hashlib
import json
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from manifests.durable import make_folders, write_durable
from manifests.paths import check_relative
from manifests.storage.opening import open_store
from manifests.storage.store import FileStatus, Store
from pipeline.progress import Progress
from pipeline.sources.layouts import LANDING_FOLDER, READY_FILE

__all__ = ["mirror_folder", "mirror_sets"]

_Listing = dict[str, tuple[int, float]]
"""Of each file of a set, by its name within it: size in bytes, and when it was written."""


def mirror_folder(run_dir: Path, url: str) -> Path:
    """The landing folder on this machine that stands for one in an object store."""
    return run_dir / "landed" / hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:10] / LANDING_FOLDER


def mirror_sets(url: str, folder: Path, progress: Progress | None = None) -> None:
    """Bring a folder to what an object store's landing folder holds.

    A set that is not whole there (it has no _READY) is left as it is here. Of one that is new or has changed
    the files that differ are fetched, its own _READY last; a set that is gone leaves. The _READY here holds
    what was fetched, so that nothing is fetched twice, whenever this is interrupted.

    Args:
        url: s3://<bucket>/<...>/<landing folder>.
        folder: its copy; made if missing.
        progress: called with (files fetched, files to fetch).

    Raises:
        StoreError: the package for it is not installed.
        UnsafePathError: an object's name leads out of its set.
        OSError: the store cannot be read.
    """
    parent, _, name = url.rstrip("/").rpartition("/")
    store = open_store(parent)
    there = _listings(store, name)
    changed = {
        set_name: listing
        for set_name, listing in there.items()
        if READY_FILE in listing and _fetched(folder / set_name) != listing
    }
    make_folders(folder)
    for gone in [path for path in folder.iterdir() if path.name not in there]:
        # Without its _READY first: half of a set is none.
        (gone / READY_FILE).unlink(missing_ok=True)
        shutil.rmtree(gone)
    total, done = sum(len(listing) for listing in changed.values()), 0
    for set_name, listing in changed.items():
        for _ in _renew(store, f"{name}/{set_name}", folder / set_name, listing):
            done += 1
            if progress is not None:
                progress(done, total)


def _listings(store: Store, name: str) -> dict[str, _Listing]:
    found: dict[str, _Listing] = defaultdict(dict)
    for parent, files in store.walk(name):
        within = PurePosixPath(parent).relative_to(name).parts
        for file_name, status in files.items() if within else ():
            found[within[0]]["/".join((*within[1:], file_name))] = _known(status)
    return found


def _known(status: FileStatus) -> tuple[int, float]:
    return status.num_bytes, status.modified


def _fetched(set_root: Path) -> _Listing | None:
    """What the copy of a set was made of; None when it is not whole."""
    try:
        listing = json.loads((set_root / READY_FILE).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return {name: tuple(known) for name, known in listing.items()}


def _renew(
    store: Store, remote: str, set_root: Path, listing: Mapping[str, tuple[int, float]]
) -> Iterator[None]:
    """Fetch a set's files one after the other; yields after each."""
    before = _fetched(set_root) or {}
    (set_root / READY_FILE).unlink(missing_ok=True)
    for name, known in listing.items():
        check_relative(name)
        path = set_root / name
        if name != READY_FILE and not (before.get(name) == known and path.is_file()):
            make_folders(path.parent)
            write_durable(path, store.read(f"{remote}/{name}"))
        yield
    for path in sorted(set_root.rglob("*")):
        if path.is_file() and path.relative_to(set_root).as_posix() not in listing:
            path.unlink()
    make_folders(set_root)
    write_durable(set_root / READY_FILE, json.dumps(dict(listing)).encode())
