"""Whether this machine can do the work: versions that fit together, the device, the disk."""

import errno
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

from manifests.durable import LockHeldError, create_durable, exclusive_lock, write_durable

__all__ = ["Check", "check_machine", "version_of"]

OLDEST_PYTHON = (3, 11)
LEAST_FREE_BYTES = 2 * 10**9
OPENCV_PACKAGES = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
"""All of them install the one module cv2, over each other."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    is_ok: bool
    found: str
    what_to_do: str = ""
    """Empty when all is well."""


def check_machine(folder: Path) -> Iterator[Check]:
    """Look at Python, torch and its device, OpenCV, and the disk under a folder. Leaves nothing behind.

    Args:
        folder: where datasets and runs will go; the nearest folder above it that exists is tried.
    """
    yield _check_python()
    yield from _check_torch()
    yield _check_opencv()
    place = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())
    yield _check_space(place)
    yield _check_durability(place)


def _check_python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Check(
        "Python", sys.version_info >= OLDEST_PYTHON, found, f"install Python {wanted} or newer, and run make"
    )


def _check_torch() -> Iterator[Check]:
    found = f"torch {version_of('torch')}, torchvision {version_of('torchvision')}"
    try:
        import torch
        from torchvision.ops import nms

        # A pair that does not fit together fails here at the latest: this operator is compiled for one torch.
        nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
    except (ImportError, OSError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0]
        yield Check("torch", False, found, f"install the pair that requirements.lock names ({reason})")
        return
    yield Check("torch", True, found)
    yield _check_device()


def _check_device() -> Check:
    import torch

    from gan.device import autocast, resolve_device

    device = resolve_device("auto")
    with autocast(device, "auto"):
        precision = "bfloat16" if torch.is_autocast_enabled(device.type) else "float32"
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        found = f"{properties.name}, {properties.total_memory / 1e9:.0f} GB, computes in {precision}"
        try:
            torch.zeros(8, device=device).sum().item()
        except RuntimeError as error:
            reason = str(error).strip().partition("\n")[0]
            return Check("device", False, found, f"the driver or this torch cannot use it ({reason})")
        return Check("device", True, found)
    found = f"CPU, {torch.get_num_threads()} threads, computes in {precision}; no CUDA device"
    return Check("device", True, found)


def _check_opencv() -> Check:
    installed = [f"{name} {version_of(name)}" for name in OPENCV_PACKAGES if version_of(name) != "missing"]
    what_to_do = "keep one: each installs the module cv2 over the others'; uninstall all, then run make"
    return Check("OpenCV", len(installed) == 1, ", ".join(installed) or "missing", what_to_do)


def _check_space(place: Path) -> Check:
    free = shutil.disk_usage(place).free
    what_to_do = f"make room or choose another folder; a small run takes {LEAST_FREE_BYTES / 1e9:.0f} GB"
    return Check("space", free >= LEAST_FREE_BYTES, f"{free / 1e9:.1f} GB free at {place}", what_to_do)


def _check_durability(place: Path) -> Check:
    """Try what publishing rests on: fsync and rename, a link that only one writer can make, and flock."""
    try:
        with tempfile.TemporaryDirectory(prefix=".seg2real-doctor-", dir=place) as name:
            trial = Path(name)
            write_durable(trial / "written", b"data")
            create_durable(trial / "created", b"first")
            with suppress(FileExistsError):
                create_durable(trial / "created", b"second")
                raise OSError(errno.ENOTSUP, "two writers could create one file", name)
            lock = partial(exclusive_lock, trial / "lock", what="The trial")
            with lock(), suppress(LockHeldError), lock():
                raise OSError(errno.ENOTSUP, "two holders could have one lock", name)
    except OSError as error:
        what_to_do = "choose a folder on a local disk, or one that this user may write to"
        return Check("files", False, f"{place}: {error.strerror}", what_to_do)
    return Check("files", True, f"fsync, rename, link and lock work at {place}")


def version_of(distribution: str) -> str:
    """The installed version of a package, or "missing"."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "missing"
