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
    "refuse_no_dataset",
]


class UsageError(ValueError):
    """An argument that cannot be used. Exit code 2."""


ConfigArgument = Annotated[Path, typer.Argument(help="The run's YAML file.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(help="Settings for this call, such as train.batch_size=4.", show_default=False),
]
RootArgument = Annotated[str, typer.Argument(help="Folder or s3:// URL of the dataset.", show_default=False)]
NumProcessesOption = Annotated[
    int,
    typer.Option("--nproc", min=1, help="Train in so many processes, one for each GPU; they share a batch."),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print the resolved config and stop.")]


def refuse_no_dataset(root: str) -> None:
    """A place without a dataset is a wrong argument, not a damaged dataset.

    Raises:
        UsageError: neither a table nor a version is there.
        StoreError: no dataset can be kept at such a root.
    """
    from manifests.reader import TABLE_NAME
    from manifests.storage.opening import open_store
    from manifests.versions import version_numbers

    store = open_store(root)
    try:
        store.status(TABLE_NAME)
    except FileNotFoundError:
        if not version_numbers(store):
            what = f"it has no {TABLE_NAME}; a run's output was wanted, such as output/demo"
            raise UsageError(f"{root} is no dataset: {what}.") from None
