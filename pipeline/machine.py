"""What this machine is, for figures that depend on it."""

import os
import platform
from pathlib import Path

__all__ = ["cpu_name", "describe_machine"]


def describe_machine() -> dict[str, str | int | bool]:
    """Processor, cores, accelerator, and the versions that speed and results depend on."""
    import torch

    from gan.device import computes_in_bf16, resolve_device

    return {
        "cpu": cpu_name(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "num_cores": _num_cores(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        "computes_in_bf16": computes_in_bf16(resolve_device("auto")),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def cpu_name() -> str:
    """The processor's model, or its kind where the system does not tell."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _num_cores() -> int:
    """Those that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
