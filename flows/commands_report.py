"""The command report: a page to look at a dataset with. It imports what it needs when called."""

from pathlib import Path
from typing import Annotated

import typer

from flows.parameters import RootArgument, UsageError, refuse_no_dataset

__all__ = ["commands"]

commands = typer.Typer()


@commands.command(epilog="Example: seg2real report output/robocup_spl --run-dir runs/robocup_spl")
def report(
    root: RootArgument,
    max_samples: Annotated[
        int, typer.Option(min=1, help="Rows to show; the page grows by up to 20 kB with each.")
    ] = 500,
    run_dir: Annotated[
        Path | None,
        typer.Option(help="Of the training run behind it, whose curves are shown, too.", show_default=False),
    ] = None,
    version: Annotated[int | None, typer.Option(help="An older version of the dataset.")] = None,
) -> None:
    """Show a dataset on one page. Any browser opens it, without a server or a network."""
    refuse_no_dataset(root)
    if run_dir is not None and not run_dir.is_dir():
        raise UsageError(f"{run_dir} is no folder; the run_dir of a run was wanted, such as runs/demo.")

    from manifests.manifest import Manifest
    from pipeline.progress import show_progress
    from pipeline.report import write_page

    manifest = Manifest.open(root, version=version)
    with show_progress("report", "rows") as progress:
        name = write_page(manifest, run_dir, max_samples=max_samples, progress=progress)
    num_bytes = manifest.store.status(name).num_bytes
    num_shown = min(max_samples, manifest.table.num_rows)
    typer.echo(
        f"{manifest.store.location}/{name}: version {manifest.version}, {num_shown} of "
        f"{manifest.table.num_rows} rows, {num_bytes / 1e6:.1f} MB."
    )
