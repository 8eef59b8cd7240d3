"""Commands about a published dataset: verify, info. Each imports what it needs when called."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from flows.parameters import RootArgument, UsageError, refuse_no_dataset

__all__ = ["commands", "verify_dataset"]

commands = typer.Typer()

_MAX_SHOWN = 20
"""Findings of one code that are printed."""


@commands.command(epilog="Example: seg2real verify output/robocup_spl --deep")
def verify(
    root: RootArgument,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also hash and decode every file, and hash every version's table.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(help="The run that published it: rows are drawn again and compared.", metavar="YAML"),
    ] = None,
    num_rows: Annotated[int, typer.Option("--regenerate", min=1, help="How many, chosen at random.")] = 8,
    seed: Annotated[int, typer.Option(help="Of the choice.")] = 0,
) -> None:
    """Check every row of a dataset, and that its files are there. Exit code 3 when something is wrong."""
    refuse_no_dataset(root)
    is_ok = verify_dataset(root, deep=deep)
    if config is not None:
        is_ok = _regenerate(root, config, num_rows, seed) and is_ok
    if not is_ok:
        raise typer.Exit(3)


def _regenerate(root: str, path: Path, num_rows: int, seed: int) -> bool:
    from pipeline.config import load_config
    from pipeline.regenerate import regenerate

    config = load_config(path)
    if config.output.resolve() != Path(root).resolve():
        raise UsageError(
            f"{path} publishes to {config.output}, not to {root}; name the config of this dataset."
        )
    findings = regenerate(config, num_rows, seed=seed)
    for finding in findings:
        typer.echo(str(finding))
    verdict = f"{len(findings)} findings" if findings else "the same bytes"
    typer.echo(f"{root}: up to {num_rows} rows drawn again: {verdict}.")
    return not findings


@commands.command(epilog="Example: seg2real info output/robocup_spl")
def info(root: RootArgument) -> None:
    """Sum a dataset up. Images per split, pixels per class, sizes, version, snapshots."""
    from manifests.info import describe

    refuse_no_dataset(root)
    for name, value in asdict(describe(root)).items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {_short(count)}" for key, count in value.items()) or "none"
        typer.echo(f"{name.replace('_', ' '):26} {value}")


def verify_dataset(root: str | Path, *, deep: bool = False) -> bool:
    """Check a dataset, print every finding and a verdict, and return whether all is well."""
    from manifests.verification.verify import verify as check
    from pipeline.progress import show_progress

    with show_progress("verify", "rows") as progress:
        report = check(root, deep=deep, progress=progress)
    for code, num in report.num_by_code.items():
        found = [finding for finding in report.findings if finding.code == code]
        for finding in found[:_MAX_SHOWN]:
            typer.echo(str(finding))
        if num > _MAX_SHOWN:
            typer.echo(f"{code}: {num - _MAX_SHOWN} more.")
    looked = "hashed and decoded" if report.is_deep else "with their files in place"
    verdict = "all is well" if report.is_ok else f"{sum(report.num_by_code.values())} findings"
    typer.echo(f"{root}: version {report.version}, {report.num_rows} rows {looked}: {verdict}.")
    return report.is_ok


def _short(value: float) -> str:
    return f"{value:.2%}" if isinstance(value, float) else str(value)
