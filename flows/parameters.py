"""Arguments and options that commands share."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "ConfigArgument",
    "DryRunOption",
    "NumProcessesOption",
    "Overrides",
    "RootArgument",
    "UsageError",
]


class UsageError(ValueError):
    """An argument that cannot be used. Exit code 2."""


ConfigArgument = Annotated[Path, typer.Argument(help="The run's YAML file.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(help="Settings for this call, such as train.batch_size=4.", show_default=False),
]
RootArgument = Annotated[Path, typer.Argument(help="Root of the dataset.", show_default=False)]
NumProcessesOption = Annotated[
    int,
    typer.Option("--nproc", min=1, help="Train in so many processes, one for each GPU; they share a batch."),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print the resolved config and stop.")]
