"""The command that shows a dataset: report. It imports what it needs when called."""

from pathlib import Path
from typing import Annotated

import typer

from flows.parameters import RootArgument, refuse_no_dataset

__all__ = ["commands"]

commands = typer.Typer()


@commands.command(epilog="Example: seg2real report output/robocup_spl --run-dir runs/robocup_spl")
def report(
    root: RootArgument,
    max_samples: Annotated[int, typer.Option(min=1, help="Of more rows, some are shown.")] = 500,
    run_dir: Annotated[
        Path | None, typer.Option(help="The training's folder, for its curve and preview.")
    ] = None,
    version: Annotated[int | None, typer.Option(help="An older version of the dataset.")] = None,
) -> None:
    """Make the page to look at a dataset: report/index.html. It needs a browser and no network."""
    from manifests.manifest import Manifest
    from manifests.report.page import write_report
    from pipeline.progress import show_progress
    from pipeline.training_record import read_training

    refuse_no_dataset(root)
    with show_progress("report", "samples") as progress:
        name = write_report(
            Manifest.open(root, version=version),
            max_samples=max_samples,
            training=read_training(run_dir) if run_dir else None,
            progress=progress,
        )
    typer.echo(f"{root}/{name}")
