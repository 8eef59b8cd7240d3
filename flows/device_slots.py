"""One run at a time on a GPU (or on this machine's CPU): a slot of Prefect, and a lock file.

The slot is what a server's runs wait for and its pages show; `seg2real up` and `seg2real deploy` create it,
and it is freed a minute after its holder was killed. The lock holds between servers too, and while one
starts anew; the kernel frees it at once.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from prefect.concurrency.sync import concurrency
from prefect.runtime import deployment

from manifests.durable import LockHeldError, exclusive_lock

__all__ = ["device_slots", "num_slots", "slot_name"]

WAIT_SECONDS = 7 * 24 * 3600.0
LEASE_SECONDS = 60.0  # the shortest; it is renewed while its holder lives


def slot_name(kind: str) -> str:
    """Prefect's global concurrency limit of a kind of device, "cuda" or "cpu"."""
    return f"seg2real-{kind}"


def num_slots() -> dict[str, int]:
    """How many runs can compute at once on this machine, by kind of device."""
    import torch

    return {"cpu": 1, **({"cuda": torch.cuda.device_count()} if torch.cuda.is_available() else {})}


@contextmanager
def device_slots(device: str, num_processes: int = 1) -> Iterator[str]:
    """Hold the devices for the length of the block; wait for them as long as it takes.

    Args:
        device: as in a config; "auto" = a GPU where there is one.
        num_processes: that compute together, one on each GPU.

    Yields:
        The device to compute on: of several GPUs, for one process, one that is free.
    """
    from gan.device import resolve_device

    resolved = resolve_device(device)
    with ExitStack() as held:
        if deployment.id:  # a run of `seg2real run --flow` has a server of its own
            occupied = num_processes if resolved.type == "cuda" else 1
            held.enter_context(
                concurrency(
                    slot_name(resolved.type),
                    occupy=occupied,
                    strict=True,
                    lease_duration=LEASE_SECONDS,
                    raise_on_lease_renewal_failure=False,
                )
            )
        if resolved.type != "cuda":
            held.enter_context(_locked("cpu"))
            yield device
        elif num_processes > 1:
            for index in range(num_processes):
                held.enter_context(_locked(f"cuda-{index}"))
            yield device
        elif resolved.index is not None:
            held.enter_context(_locked(f"cuda-{resolved.index}"))
            yield device
        else:
            yield f"cuda:{_enter_free_gpu(held)}"


def _enter_free_gpu(held: ExitStack) -> int:
    for index in range(num_slots()["cuda"]):
        with contextlib.suppress(LockHeldError):
            held.enter_context(_locked(f"cuda-{index}", wait_seconds=0))
            return index
    held.enter_context(_locked("cuda-0"))
    return 0


def _locked(name: str, wait_seconds: float = WAIT_SECONDS) -> contextlib.AbstractContextManager[None]:
    path = Path(tempfile.gettempdir()) / f"seg2real-{name}.lock"
    return exclusive_lock(path, what=f"The device {name}", wait_seconds=wait_seconds)
