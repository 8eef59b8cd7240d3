"""The command that measures: evaluate. It imports what it needs when called."""

from pathlib import Path
from typing import Annotated

import typer

from flows.parameters import ConfigArgument, DryRunOption, Overrides, UsageError

__all__ = ["commands"]

commands = typer.Typer()


@commands.command(epilog="Example: seg2real evaluate configs/robocup_spl.yaml --out result.json")
def evaluate(
    config: ConfigArgument,
    overrides: Overrides = None,
    snapshot: Annotated[
        Path | None, typer.Option(help="What to measure; the run's best snapshot if left out.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Where the JSON goes; evaluation-<snapshot>.json in the run_dir if left out."),
    ] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Measure generated images as training data. Prints a table and writes JSON; trains small judges.

    Of a run with train.from_snapshot, that snapshot is measured first: the table before and the table after.
    """
    from pipeline.config import as_yaml, load_config

    resolved = load_config(config, overrides or ())
    if dry_run:
        typer.echo(as_yaml(resolved), nl=False)
        raise typer.Exit
    if snapshot is not None and not snapshot.is_file():
        raise UsageError(f"There is no snapshot {snapshot}; a file such as {_EXAMPLE} was wanted.")

    from pipeline.evaluation.evaluate import evaluate as measure
    from pipeline.evaluation.files import evaluation_path, write_evaluation
    from pipeline.evaluation.table import as_table
    from pipeline.retraining import newest_training
    from pipeline.run import gather_stage, prepare_stage
    from pipeline.shards import SnapshotRef
    from pipeline.snapshot_files import best_snapshot

    trained = newest_training(resolved)
    chosen = best_snapshot(trained) if snapshot is None else None
    path = chosen.path if chosen else snapshot
    if path is None:
        raise UsageError(
            f"{trained.run_dir} holds no snapshot of these settings; train it, or name one by --snapshot."
        )
    if chosen is not None:
        typer.echo(chosen.why)
    out = out or evaluation_path(trained.run_dir, path)
    to_measure = {out: path}
    if snapshot is None and resolved.train.from_snapshot is not None:
        to_measure = {out.with_stem(f"{out.stem}-before"): resolved.train.from_snapshot, out: path}
    resolved = gather_stage(resolved)
    prepared = prepare_stage(resolved)
    measured_run = newest_training(resolved)
    for place, measured in to_measure.items():
        found = measure(measured_run, prepared, SnapshotRef.of(measured))
        write_evaluation(place, found)
        typer.echo(f"\n{as_table(found)}\n\nJSON: {place}")


@commands.command(epilog="Example: seg2real compare configs/compare/robocup_spl.yaml")
def compare(
    comparison: Annotated[Path, typer.Argument(help="The comparison's YAML file.", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="Where the JSON goes; in its folder if left out.")] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="An entry, may be given again; of the others only what is done already is in the table."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the budget and how the entries differ, and stop.")
    ] = False,
) -> None:
    """Train several methods alike and measure each. Prints a table; goes on when run again."""
    import json

    from pipeline.comparison.config import load_comparison
    from pipeline.comparison.plan import as_plan

    config = load_comparison(comparison)
    chosen = config.with_entries(only) if only else config
    if dry_run:
        typer.echo(as_plan(chosen))
        raise typer.Exit

    from manifests.durable import make_folders, write_durable
    from pipeline.comparison.compare import compare as run_comparison
    from pipeline.comparison.compare import write_pictures
    from pipeline.comparison.table import as_table

    found = run_comparison(config, only=chosen.entries)
    out = out or config.folder / "comparison.json"
    make_folders(out.parent)
    write_durable(out, (json.dumps(found, indent=1) + "\n").encode())
    pictures = ", ".join(map(str, write_pictures(config, found)))
    typer.echo(f"\n{as_table(found)}\n\nJSON: {out}\npictures: {pictures}")


_EXAMPLE = "runs/robocup_spl/snapshots/snapshot-00004000.safetensors"
