"""What each method's paper or code sets; a config's own settings go over it."""

from typing import Any

__all__ = ["PRESETS", "with_preset"]

PRESETS: dict[str, dict[str, Any]] = {}
"""Settings of `TrainConfig` by method, where they differ from its defaults."""


def with_preset(method: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings over the method's preset, section by section."""
    return _over(PRESETS.get(method, {}), settings)


def _over(under: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in settings.items():
        both = isinstance(merged.get(key), dict) and isinstance(value, dict)
        merged[key] = _over(merged[key], value) if both else value
    return merged
