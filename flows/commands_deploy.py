"""Commands for runs that come back by themselves: up, deploy. Each imports what it needs when called."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.parameters import UsageError

__all__ = ["commands"]

commands = typer.Typer()

ConfigsArgument = Annotated[list[Path], typer.Argument(help="YAML files of runs.", show_default=False)]


@commands.command(epilog="Example: seg2real up configs/soccer.yaml")
def up(
    configs: ConfigsArgument,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Of the server, if one is started.")] = 4200,
) -> None:
    """Make datasets, and renew them until Ctrl-C. By schedule, and when segmentation sets land.

    Starts a Prefect server, or uses the one that runs or that PREFECT_API_URL names.
    """
    from flows.server import server_running

    runs = _load(configs)
    with server_running(port) as server:
        from flows.serving import serve_runs

        typer.echo(f"Prefect: {server.url.removesuffix('/api')}")
        for config in runs:
            typer.echo(f"  generate-soccer-dataset/{config.name}: {config.output}")
        typer.echo("Ctrl-C stops all of it.")
        serve_runs(dict(zip(configs, runs, strict=True)), server.require_alive)


@commands.command(epilog="Example: seg2real deploy configs/soccer.yaml --pool gpus --gpus 2")
def deploy(
    configs: ConfigsArgument,
    pool: Annotated[str, typer.Option(help="Work pool whose workers run it.")] = "seg2real",
    gpus: Annotated[int, typer.Option(min=0, help="How many GPUs the workers have together.")] = 0,
    job_variable: Annotated[
        list[str] | None,
        typer.Option(help="KEY=VALUE of the pool's jobs, may be given again, such as image=seg2real."),
    ] = None,
) -> None:
    """Register runs for a pool's workers. On this machine or on others, on a server that runs.

    The server is the one that PREFECT_API_URL names. Done again, it brings the deployments to what configs
    say now.
    """
    from flows.server import require_server

    runs = _load(configs)
    job_variables = _as_variables(job_variable or ())
    url = require_server()
    from flows.deployments import deploy_to_pool, prepare_server

    prepare_server({"cpu": 1} | ({"cuda": gpus} if gpus else {}))
    for path in configs:
        deploy_to_pool(path, pool, job_variables)
    typer.echo(f"Prefect: {url.removesuffix('/api')}")
    for config in runs:
        typer.echo(f"  generate-soccer-dataset/{config.name}, for workers of {pool}")
    typer.echo(f"Start a worker: prefect worker start --pool {pool}")


def _as_variables(pairs: Sequence[str]) -> dict[str, Any]:
    """ "KEY=VALUE" -> key and value, which is YAML."""
    from yaml import YAMLError, safe_load

    variables = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (key and equals):
            raise UsageError(f"'{pair}' is no job variable; write KEY=VALUE, such as image=seg2real.")
        try:
            variables[key] = safe_load(value)
        except YAMLError:
            raise UsageError(f"The value of the job variable '{pair}' is no YAML; quote it.") from None
    return variables


def _load(paths: list[Path]) -> list:
    from pipeline.config import load_config

    configs = [load_config(path) for path in paths]
    names = [config.name for config in configs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"Two of the configs have the name '{twice}'; give each a name of its own.")
    return configs
