"""Commands that take time: demo, run, train, generate. Each imports what it needs when called."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands_dataset import verify_dataset
from flows.parameters import ConfigArgument, DryRunOption, NumProcessesOption, Overrides, UsageError
from gan.share import Share

__all__ = ["commands"]

commands = typer.Typer()


@commands.command(epilog="Example: seg2real demo")
def demo() -> None:
    """Make a small dataset from nothing, in some minutes. Draws, trains, generates, publishes, verifies."""
    import pipeline
    from pipeline.config import load_config
    from pipeline.run import run as run_stages

    config = load_config(Path(pipeline.__file__).parent.parent / "configs" / "demo.yaml")
    result = run_stages(config)
    is_ok = verify_dataset(config.output, deep=True)
    _say_result(config.output, result)
    if not is_ok:
        raise typer.Exit(3)


@commands.command(epilog="Example: seg2real run configs/robocup_spl.yaml train.total_images=4000")
def run(
    config: ConfigArgument,
    overrides: Overrides = None,
    flow: Annotated[
        bool, typer.Option("--flow", help="Run it as the Prefect flow generate-soccer-dataset.")
    ] = False,
    nproc: NumProcessesOption = 1,
    dry_run: DryRunOption = False,
) -> None:
    """Do the whole job; run it again to go on. Draws scenes, checks sources, trains, generates, publishes."""
    resolved = _resolve(config, overrides, dry_run=dry_run)
    if Share.of_environment().num_ranks > 1:
        raise UsageError("Under torchrun only training works; use seg2real run --nproc, or torchrun a train.")
    if flow:
        from flows.changes import as_changes
        from flows.generate_soccer_dataset import generate_soccer_dataset
        from flows.temporary_server import start_server

        start_server()
        together = [f"flow.num_processes={nproc}"] if nproc > 1 else []
        result = generate_soccer_dataset(config, as_changes([*(overrides or ()), *together]))
    else:
        from pipeline.run import run as run_stages

        result = run_stages(resolved, num_processes=nproc)
    _say_result(resolved.output, result)


@commands.command(epilog="Example: seg2real train configs/robocup_spl.yaml train.total_images=100_000")
def train(
    config: ConfigArgument,
    overrides: Overrides = None,
    nproc: NumProcessesOption = 1,
    dry_run: DryRunOption = False,
) -> None:
    """Train, or resume from the newest checkpoint. Draws scenes and checks sources first."""
    resolved = _resolve(config, overrides, dry_run=dry_run)
    share = Share.of_environment()
    if share.num_ranks > 1:
        if nproc > 1:
            raise UsageError(f"torchrun has started {share.num_ranks} processes already; leave out --nproc.")
        from pipeline.training_rank import train_as_rank

        snapshot = train_as_rank(resolved)
    else:
        from pipeline.retraining import training_to_use
        from pipeline.run import gather_stage, prepare_stage, train_stage

        resolved = gather_stage(resolved)
        prepared = prepare_stage(resolved)
        resolved = training_to_use(resolved, prepared)
        snapshot = train_stage(resolved, prepared, num_processes=nproc).path
    if share.rank == 0:
        typer.echo(f"Snapshot: {snapshot}\nPictures: {resolved.run_dir / 'previews'}")


@commands.command(epilog="Example: seg2real generate configs/robocup_spl.yaml generate.variants=4")
def generate(config: ConfigArgument, overrides: Overrides = None, dry_run: DryRunOption = False) -> None:
    """Draw an image for every label, and publish. Takes the best snapshot; trains nothing."""
    resolved = _resolve(config, overrides, dry_run=dry_run)
    from pipeline.run import run as run_stages

    _say_result(resolved.output, run_stages(resolved, trains=False))


def _resolve(path: Path, overrides: list[str] | None, *, dry_run: bool) -> Any:
    """The run's config; in a dry run, show it and end the command."""
    from pipeline.config import as_yaml, load_config

    resolved = load_config(path, overrides or ())
    if dry_run:
        typer.echo(as_yaml(resolved), nl=False)
        raise typer.Exit
    return resolved


def _say_result(output: Path, result: Any) -> None:
    typer.echo(
        f"\nDataset:  {output} (version {result.version}, {result.num_images} images, "
        f"{result.num_generated} of them new)\n"
        f"To look at: {result.page}\n"
        f"Pictures: {result.contact_sheet}\n"
        f"Snapshot: {result.snapshot}\n"
        f"Check it: seg2real verify {output}"
    )
