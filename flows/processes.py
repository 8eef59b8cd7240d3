"""How a flow's process ends with the one that started it."""

import ctypes
import os
import signal
import sys

__all__ = ["end_with_parent"]

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have the kernel send SIGTERM to this process when its parent dies, by whatever cause; Linux only.

    Without it, a worker that is killed leaves its flow runs behind, which go on with nobody to cancel them. A
    training that gets the signal writes a checkpoint first.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid()
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) was refused")
    if os.getppid() != parent:  # it died in between
        os.kill(os.getpid(), signal.SIGTERM)
