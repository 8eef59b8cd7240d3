"""Findings: what is wrong with a run's input or settings, and what to do about it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem. An error keeps the run from doing its job; a warning does not."""

    code: str
    """Short name of the kind of problem, such as "missing-twin"."""
    severity: Literal["error", "warning"]
    path: Path
    """File, folder or config that it is about."""
    what: str
    """What is wrong, with the values: a clause without the path."""
    fix: str
    """What to do: a clause."""

    def __str__(self) -> str:
        return f"{self.path}: {self.what}; {self.fix}."
