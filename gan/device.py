"""Which device computes, and in which precision."""

from typing import Literal

import torch

__all__ = ["DeviceError", "autocast", "computes_in_bf16", "resolve_device"]


class DeviceError(ValueError):
    """A device that cannot be used here."""


def resolve_device(name: str, local_index: int | None = None) -> torch.device:
    """ "auto" -> cuda where there is one, else cpu; anything else as torch names it.

    Args:
        name: as in a config.
        local_index: number of this process among those of this machine that train together: "auto" and
            "cuda" are then the GPU of that number; None = there is one process.

    Raises:
        DeviceError: the named device does not exist on this machine, or cannot be one process's own.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
        if local_index is None:
            return torch.device(name)
    if local_index is not None and name.startswith("cuda"):
        name = _own_gpu(name, local_index)
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise DeviceError(
            f"Device '{name}' cannot be used here: {str(error).splitlines()[0]} Use 'auto'."
        ) from None
    return device


def _own_gpu(name: str, local_index: int) -> str:
    if name != "cuda":
        raise DeviceError(
            f"Device '{name}' is one GPU, and each of several processes needs its own; use 'cuda'."
        )
    if local_index >= torch.cuda.device_count() > 0:
        raise DeviceError(
            f"Process {local_index} of this machine has no GPU, as there are {torch.cuda.device_count()}; "
            "start as many processes, or use device 'cpu'."
        )
    return f"cuda:{local_index}"


def autocast(device: torch.device, precision: Literal["auto", "bf16", "fp32"]) -> torch.autocast:
    """Context in which networks compute in bfloat16, where asked for or where "auto" finds the hardware."""
    enabled = precision == "bf16" or (precision == "auto" and computes_in_bf16(device))
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


def computes_in_bf16(device: torch.device) -> bool:
    """Whether a device has instructions of its own for bfloat16."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
