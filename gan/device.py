"""Which device computes, and in which precision."""

from typing import Literal

import torch

__all__ = ["DeviceError", "autocast", "resolve_device"]


class DeviceError(ValueError):
    """A device that cannot be used here."""


def resolve_device(name: str) -> torch.device:
    """ "auto" -> cuda where there is one, else cpu; anything else as torch names it.

    Raises:
        DeviceError: the named device does not exist on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise DeviceError(
            f"Device '{name}' cannot be used here: {str(error).splitlines()[0]} Use 'auto'."
        ) from None
    return device


def autocast(device: torch.device, precision: Literal["auto", "bf16", "fp32"]) -> torch.autocast:
    """Context in which networks compute in bfloat16, where asked for or where "auto" finds the hardware."""
    enabled = precision == "bf16" or (precision == "auto" and _computes_in_bf16(device))
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


def _computes_in_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
