"""Paths in a config: a relative one is relative to the config file that names it."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

__all__ = ["ConfigPath", "ConfigPaths", "as_list"]


def _beside_config(path: Path, info: ValidationInfo) -> Path:
    base = (info.context or {}).get("base")
    return (base / path).resolve() if base else path


def as_list(value: Any) -> Any:
    """One path or URL as a list of it; anything else as it is."""
    return [value] if isinstance(value, str | Path) else value


ConfigPath = Annotated[Path, AfterValidator(_beside_config)]
"""A path; a relative one is relative to the config file that names it."""
ConfigPaths = Annotated[tuple[ConfigPath, ...], BeforeValidator(as_list)]
"""One path or a list of them."""
