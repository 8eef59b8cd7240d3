"""Commands that change a published dataset: versions, rollback, remove, gc, push."""

from datetime import timedelta
from typing import Annotated

import typer

from flows.parameters import RootArgument, UsageError, refuse_no_dataset

__all__ = ["commands"]

commands = typer.Typer()


@commands.command(epilog="Example: seg2real versions output/robocup_spl")
def versions(root: RootArgument) -> None:
    """List what was published. Number, time (UTC), rows, rows added and removed, message."""
    from manifests.versions import read_version, version_numbers

    refuse_no_dataset(root)
    for number in version_numbers(root):
        record = read_version(root, number)
        change = f"{record.rows:9} rows  {f'+{record.added} -{record.removed}':>16}"
        typer.echo(f"{number:6}  {record.created:%Y-%m-%d %H:%M:%S}  {change}  {record.message}")


@commands.command(epilog="Example: seg2real rollback output/robocup_spl 12")
def rollback(
    root: RootArgument,
    version: Annotated[int, typer.Argument(help="Whose rows to publish again.", show_default=False)],
    message: Annotated[str, typer.Option(help="Why, for people.")] = "",
) -> None:
    """Publish an older version's rows again. They become a new version; nothing in between is lost."""
    from manifests.commit import roll_back
    from manifests.description import describe_dataset

    refuse_no_dataset(root)
    number = roll_back(root, version, message=message)
    describe_dataset(root)
    typer.echo(f"{root}: version {number} has the rows of version {version}.")


@commands.command(epilog="Example: seg2real remove output/robocup_spl 'segTrain/field_012*.png'")
def remove(
    root: RootArgument,
    labels: Annotated[
        list[str], typer.Argument(help="Source labels, as the column source_label has them; * and ? match.")
    ],
    message: Annotated[str, typer.Option(help="Why, for people.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and stop.")] = False,
) -> None:
    """Withdraw labels with all of their images. They leave in a new version; their files stay until gc."""
    from fnmatch import fnmatchcase

    from manifests.commit import commit
    from manifests.description import describe_dataset
    from manifests.manifest import Manifest

    refuse_no_dataset(root)
    manifest = Manifest.open(root)
    found = {pattern: 0 for pattern in labels}
    ids = []
    for row in manifest.table.select(["sample_id", "source_label"]).to_pylist():
        matching = [pattern for pattern in labels if fnmatchcase(row["source_label"], pattern)]
        for pattern in matching:
            found[pattern] += 1
        if matching:
            ids.append(row["sample_id"])
    for pattern, num in found.items():
        if not num:
            raise UsageError(f"No row of {root} has a source_label '{pattern}'; nothing was removed.")
        typer.echo(f"{pattern}: {num} rows")
    if dry_run:
        raise typer.Exit
    number = commit(
        root, remove=ids, message=message or f"remove {', '.join(labels)}", expected_parent=manifest.version
    )
    describe_dataset(root)
    typer.echo(f"{root}: version {number} is without these {len(ids)} rows.")


@commands.command(epilog="Example: seg2real gc output/robocup_spl --keep-versions 5 --dry-run")
def gc(
    root: RootArgument,
    keep_versions: Annotated[
        int | None,
        typer.Option(min=1, help="Forget versions before the newest so many; if left out, none."),
    ] = None,
    grace_days: Annotated[
        float, typer.Option(min=0, help="Whatever is younger stays: a writer may be about to publish it.")
    ] = 7,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and stop.")] = False,
) -> None:
    """Remove what no version needs. Files without a row, half-written ones and, if asked, old versions."""
    from manifests.garbage import collect_garbage, find_garbage

    refuse_no_dataset(root)
    found = find_garbage(root, keep_versions=keep_versions, grace=timedelta(days=grace_days))
    if not dry_run:
        collect_garbage(root, found)
    what = f"{len(found.versions)} versions and {len(found.names)} files of {found.num_bytes / 1e6:.1f} MB"
    typer.echo(f"{root}: {what} {'would go' if dry_run else 'are gone'}.")


@commands.command(epilog="Example: seg2real push output/robocup_spl s3://datasets/robocup_spl")
def push(
    root: RootArgument,
    target: Annotated[str, typer.Argument(help="Folder or s3:// URL.", show_default=False)],
    message: Annotated[str, typer.Option(help="What changed, for people.")] = "",
) -> None:
    """Copy a dataset to another place. New files are copied, then one version is published there."""
    from manifests.push import push as copy
    from pipeline.progress import show_progress

    refuse_no_dataset(root)
    with show_progress("push", "rows") as progress:
        done = copy(root, target, message=message, progress=progress)
    typer.echo(
        f"{target}: version {done.version}, {done.num_copied} files of {done.num_bytes / 1e6:.1f} MB copied."
    )
