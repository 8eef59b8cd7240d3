"""The command that measures speed: bench. It imports what it needs when called."""

from pathlib import Path
from typing import Annotated

import typer

from flows.parameters import UsageError

__all__ = ["commands"]

commands = typer.Typer()


@commands.command(epilog="Example: seg2real bench preprocessing loader --out benchmarks.json")
def bench(
    names: Annotated[
        list[str] | None, typer.Argument(help="What to measure; all if left out.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where the JSON goes; it is not kept if left out.")] = None,
    smoke: Annotated[
        bool, typer.Option("--smoke", help="Small sizes, whose figures mean nothing, to see that it works.")
    ] = False,
    list_: Annotated[bool, typer.Option("--list", help="Print what can be measured, and stop.")] = False,
) -> None:
    """Measure speed beside the usual ways. Prints a table with goals; read ratios on a busy machine."""
    from benchmarks.runner import BENCHMARKS, show

    if list_:
        typer.echo("\n".join(f"{name:16} {what}" for name, what in BENCHMARKS.items()))
        raise typer.Exit
    unknown = next((name for name in names or () if name not in BENCHMARKS), None)
    if unknown is not None:
        raise UsageError(f"There is no benchmark '{unknown}'; there are {', '.join(BENCHMARKS)}.")
    if not show(names or list(BENCHMARKS), out, smoke=smoke):
        raise typer.Exit(1)
