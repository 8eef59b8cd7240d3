"""Commands that come before training: init, doctor, validate, scenes, preprocess. Each imports what it needs
when called."""

from pathlib import Path
from typing import Annotated

import typer

from flows.parameters import ConfigArgument, Overrides

__all__ = ["commands"]

commands = typer.Typer()


@commands.command(epilog="Example: seg2real init soccer.yaml --labels renders/seg --photos photos")
def init(
    config: Annotated[Path, typer.Argument(help="The YAML file to write.", show_default=False)],
    labels: Annotated[Path, typer.Option("--labels", help="Folder with segmentation images.")],
    photos: Annotated[Path, typer.Option("--photos", help="Folder with photographs; nothing is paired.")],
    palette: Annotated[
        Path | None,
        typer.Option(
            "--palette", help="Palette of the labels; else one that comes with seg2real and fits them."
        ),
    ] = None,
) -> None:
    """Write a first config for your own folders. A copy of the palette goes beside it."""
    from pipeline.starting_config import write_starting_config

    written = write_starting_config(config, labels=labels, photos=photos, palette=palette)
    typer.echo(f"Config:  {written.config}\nPalette: {written.palette} ({written.why_palette})")
    typer.echo(f"Next:    seg2real validate {config}")


@commands.command(epilog="Example: seg2real doctor --folder output")
def doctor(
    folder: Annotated[Path, typer.Option("--folder", help="Where datasets and runs will go.")] = Path(),
) -> None:
    """Check this machine. Versions that fit, the device, the disk, Prefect; exit code 1 when one fails."""
    from flows.prefect_check import check_prefect
    from pipeline.doctor import check_machine

    is_ok = True
    for check in (*check_machine(folder), *check_prefect()):
        typer.echo(f"{'ok  ' if check.is_ok else 'FAIL'}  {check.name:12}  {check.found}")
        if not check.is_ok:
            typer.echo(f"{'':20}-> {check.what_to_do}")
        is_ok &= check.is_ok
    if not is_ok:
        raise typer.Exit(1)


@commands.command(epilog="Example: seg2real validate configs/robocup_spl.yaml")
def validate(config: ConfigArgument, overrides: Overrides = None) -> None:
    """Report all that can go wrong, before any GPU time. Exit code 2 when something will."""
    from pipeline.config import load_config
    from pipeline.progress import show_progress
    from pipeline.validate import validate as check

    resolved = load_config(config, overrides or ())
    with show_progress("check sources", "files") as progress:
        findings = check(resolved, progress=progress)
    for finding in findings:
        typer.echo(str(finding))
    errors = sum(finding.severity == "error" for finding in findings)
    typer.echo(f"{errors} errors, {len(findings) - errors} warnings.")
    if errors:
        raise typer.Exit(2)


@commands.command(epilog="Example: seg2real preprocess configs/robocup_spl.yaml --out preprocessed")
def preprocess(
    config: ConfigArgument,
    overrides: Overrides = None,
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path("preprocessed"),
) -> None:
    """Write what the network sees, as files. Label maps, attention masks, noised conditioning images."""
    from pipeline.config import load_config
    from pipeline.preprocess_files import preprocess_to
    from pipeline.progress import show_progress
    from pipeline.run import gather_stage, prepare_stage

    resolved = gather_stage(load_config(config, overrides or ()))
    prepared = prepare_stage(resolved, needs_photos=False)
    with show_progress("preprocess", "labels") as progress:
        preprocess_to(out, prepared, resolved, progress=progress)
    typer.echo(f"Written to {out}.")
