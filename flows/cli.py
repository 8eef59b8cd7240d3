"""The command line. It starts in a fraction of a second: a command imports what it needs when called."""

import logging
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app", "main"]

ConfigArgument = Annotated[Path, typer.Argument(help="The run's YAML file.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(help="Settings for this call, such as train.batch_size=4.", show_default=False),
]
RootArgument = Annotated[Path, typer.Argument(help="Root of the dataset.", show_default=False)]

app = typer.Typer(
    name="seg2real",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Turns segmentation images into photo-like training data.",
    epilog="A whole run: seg2real run configs/robocup_spl.yaml",
)


@app.callback()
def _options(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more, and show tracebacks.")] = False,
) -> None:
    level = logging.DEBUG if verbose else logging.INFO
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    for package in ("flows", "pipeline", "gan", "manifests"):
        logging.getLogger(package).setLevel(level)


@app.command(epilog="Example: seg2real run configs/robocup_spl.yaml train.total_images=4000")
def run(
    config: ConfigArgument,
    overrides: Overrides = None,
    flow: Annotated[
        bool, typer.Option("--flow", help="Run it as the Prefect flow generate-soccer-dataset.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the resolved config and stop.")] = False,
) -> None:
    """Do the whole job: draw scenes, check sources, train, generate, publish. Run again to go on."""
    from pipeline.config import as_yaml, load_config

    resolved = load_config(config, overrides or ())
    if dry_run:
        typer.echo(as_yaml(resolved), nl=False)
        return
    if flow:
        from flows.generate_soccer_dataset import generate_soccer_dataset

        generate_soccer_dataset(config, overrides or [])
        return
    from pipeline.run import run as run_stages

    _say(resolved.output, run_stages(resolved))


@app.command(epilog="Example: seg2real demo")
def demo() -> None:
    """Draw scenes, train for a few minutes, generate, publish and verify a small dataset; needs no data."""
    import pipeline
    from pipeline.config import load_config
    from pipeline.run import run as run_stages

    path = Path(pipeline.__file__).parent.parent / "configs" / "demo.yaml"
    config = load_config(path)
    result = run_stages(config)
    _verify(config.output, fast=False)
    _say(config.output, result)


@app.command(epilog="Example: seg2real validate configs/robocup_spl.yaml")
def validate(config: ConfigArgument, overrides: Overrides = None) -> None:
    """Report everything that can go wrong, at once, before any GPU time."""
    from pipeline.config import load_config
    from pipeline.progress import show_progress
    from pipeline.validate import validate as check

    resolved = load_config(config, overrides or ())
    with show_progress("check sources", "files") as progress:
        findings = check(resolved, cache=resolved.run_dir / "sources.json", progress=progress)
    for finding in findings:
        typer.echo(str(finding))
    errors = sum(finding.severity == "error" for finding in findings)
    typer.echo(f"{errors} errors, {len(findings) - errors} warnings.")
    if errors:
        raise typer.Exit(2)


@app.command(epilog="Example: seg2real preprocess configs/robocup_spl.yaml --out /tmp/preprocessed")
def preprocess(
    config: ConfigArgument,
    overrides: Overrides = None,
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path("preprocessed"),
) -> None:
    """Write label maps, attention masks and noised conditioning images as files to look at."""
    from pipeline.config import load_config
    from pipeline.offline import preprocess_to
    from pipeline.progress import show_progress
    from pipeline.run import draw_stage, prepare_stage

    resolved = draw_stage(load_config(config, overrides or ()))
    prepared = prepare_stage(resolved)
    with show_progress("preprocess", "labels") as progress:
        preprocess_to(out, prepared, resolved, progress=progress)
    typer.echo(f"Written to {out}.")


@app.command(epilog="Example: seg2real train configs/robocup_spl.yaml train.total_images=100_000")
def train(config: ConfigArgument, overrides: Overrides = None) -> None:
    """Train, or resume: the same command goes on from the newest checkpoint."""
    from pipeline.config import load_config
    from pipeline.run import draw_stage, prepare_stage, train_stage

    resolved = draw_stage(load_config(config, overrides or ()))
    snapshot = train_stage(resolved, prepare_stage(resolved))
    typer.echo(f"Snapshot: {snapshot.path}\nPictures: {resolved.run_dir / 'previews'}")


@app.command(epilog="Example: seg2real generate configs/robocup_spl.yaml generate.variants=4")
def generate(config: ConfigArgument, overrides: Overrides = None) -> None:
    """Draw a picture for every label with the newest snapshot, and publish; trains nothing."""
    from pipeline.config import ConfigError, load_config
    from pipeline.publish import publish
    from pipeline.run import (
        draw_stage,
        generate_stage,
        hold_output,
        plan_stage,
        prepare_stage,
        preview_stage,
    )
    from pipeline.shards import SnapshotRef
    from pipeline.trained import newest_snapshot

    resolved = load_config(config, overrides or ())
    path = newest_snapshot(resolved.run_dir)
    if path is None:
        raise ConfigError(f"{resolved.run_dir} holds no snapshot; train first: seg2real train {config}")
    with hold_output(resolved):
        resolved = draw_stage(resolved)
        prepared, snapshot = prepare_stage(resolved), SnapshotRef.of(path)
        plan = plan_stage(resolved, prepared, snapshot)
        drawn = generate_stage(resolved, prepared, snapshot, plan.to_do)
        version = publish(resolved, [*plan.staged, *drawn], snapshot_sha256=snapshot.sha256)
        _say(resolved.output, preview_stage(resolved, snapshot, version, drawn))


@app.command(epilog="Example: seg2real verify output/robocup_spl")
def verify(
    root: RootArgument,
    fast: Annotated[bool, typer.Option("--fast", help="Presence and sizes only: no hashing.")] = False,
) -> None:
    """Check every file and row of a dataset; exit code 3 when something is wrong."""
    if not _verify(root, fast=fast):
        raise typer.Exit(3)


@app.command(epilog="Example: seg2real info output/robocup_spl")
def info(root: RootArgument) -> None:
    """Sum a dataset up: images per split, pixels per class, sizes, version, snapshot."""
    from manifests.info import describe

    for name, value in asdict(describe(root)).items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {_short(count)}" for key, count in value.items()) or "none"
        typer.echo(f"{name.replace('_', ' '):26} {value}")


def _verify(root: Path, *, fast: bool) -> bool:
    from manifests.verify import verify as check
    from pipeline.progress import show_progress

    with show_progress("verify", "rows") as progress:
        report = check(root, deep=not fast, progress=progress)
    for finding in report.findings:
        typer.echo(str(finding))
    looked = "hashed and decoded" if report.is_deep else "present"
    verdict = "all is well" if report.is_ok else f"{len(report.findings)} findings"
    typer.echo(f"{root}: version {report.version}, {report.num_rows} rows {looked}: {verdict}.")
    return report.is_ok


def _short(value: float) -> str:
    return f"{value:.2%}" if isinstance(value, float) else str(value)


def _say(output: Path, result) -> None:
    typer.echo(
        f"\nDataset:  {output} (version {result.version}, {result.num_images} images, "
        f"{result.num_generated} of them new)\n"
        f"Pictures: {result.contact_sheet}\n"
        f"Snapshot: {result.snapshot}\n"
        f"Check it: seg2real verify {output}"
    )


def main() -> None:
    """Run a command; errors that this project foresees become one sentence and an exit code.

    0 done; 2 usage or config; 3 too many bad inputs; 4 training diverged; 130 / 143 interrupted with a
    checkpoint written; 1 anything else.
    """
    try:
        app(standalone_mode=True)
    except Exception as error:
        if not _is_foreseen(error) or "--verbose" in sys.argv or "-v" in sys.argv:
            raise
        typer.echo(f"Error: {error}", err=True)
        sys.exit(_exit_code(error))


def _is_foreseen(error: Exception) -> bool:
    """Errors with a class of their own in this project say what happened and what to do; so does the disk."""
    home = type(error).__module__.partition(".")[0]
    return home in {"flows", "pipeline", "gan", "manifests"} or isinstance(error, OSError)


def _exit_code(error: Exception) -> int:
    from gan.health import TrainingDiverged
    from pipeline.config import ConfigError
    from pipeline.interruption import Interrupted
    from pipeline.prepare import TooManyBadInputs

    if isinstance(error, Interrupted):
        return 128 + error.signal_number
    codes = {ConfigError: 2, TooManyBadInputs: 3, TrainingDiverged: 4}
    return next((code for kind, code in codes.items() if isinstance(error, kind)), 1)
