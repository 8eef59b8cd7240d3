"""What a comparison will do, as text for people; nothing is read but configs."""

from typing import Any

from pipeline.comparison.config import CompareConfig
from pipeline.comparison.resolved import flat

__all__ = ["as_plan"]

PLACES = {"run_dir", "output"}
"""Each entry has its own."""


def as_plan(config: CompareConfig) -> str:
    """The budget, and under each entry's name the resolved settings that are not those of all entries."""
    runs = {name: flat(config.run_of(name).model_dump(mode="json")) for name in config.entries}
    keys = {key: None for settings in runs.values() for key in settings if key not in PLACES}
    differing = [key for key in keys if not _is_shared(key, list(runs.values()))]
    width = max(map(len, differing), default=0)
    lines = [
        f"{len(runs)} entries of {config.config} in {config.folder}",
        f"budget of each: {_budget(config)}",
    ]
    for name, settings in runs.items():
        lines += ["", name]
        lines += [f"  {key:<{width}}  {settings[key]}" for key in differing if key in settings]
    return "\n".join(lines)


def _is_shared(key: str, runs: list[dict[str, Any]]) -> bool:
    return all(key in settings and settings[key] == runs[0].get(key) for settings in runs)


def _budget(config: CompareConfig) -> str:
    if config.total_images is not None:
        return f"{config.total_images} images"
    return f"as many images as train in {config.minutes:g} minutes, which is measured first"
