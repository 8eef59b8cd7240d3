"""One process that serves runs on this machine: their schedules, their landing folders, their flow runs."""

import asyncio
import logging
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
from prefect import get_client
from prefect.runner import Runner

from flows.deployments import deployment_of, prepare_server
from flows.device_slots import num_slots
from flows.landing_watch import watching
from pipeline.config import RunConfig

__all__ = ["serve_runs"]

logger = logging.getLogger(__name__)

POLL_SECONDS = 2.0
CHECKPOINT_SECONDS = 120
"""For runs to write what they have, when all is stopped."""


def serve_runs(configs: Mapping[Path, RunConfig], require_alive: Callable[[], None]) -> None:
    """Register the runs' deployments, start each run once, and serve them until SIGINT or SIGTERM.

    Schedules pause when it ends, and flow runs end with a checkpoint.

    Args:
        configs: of each YAML file, the run.
        require_alive: raises an error when the server has ended, which then ends all.
    """
    prepare_server(num_slots())
    runner = Runner(name="seg2real", query_seconds=POLL_SECONDS, limit=None, pause_on_shutdown=True)
    ids = [runner.add_deployment(deployment_of(path)) for path in configs]
    with get_client(sync_client=True) as client:
        for deployment_id in ids:
            client.create_flow_run_from_deployment(deployment_id)
    # It says every few seconds that a run waits for another to end.
    logging.getLogger("prefect.runner.state_proposer").setLevel(logging.WARNING)
    with watching(configs.values()):
        asyncio.run(_serve(runner, require_alive))


async def _serve(runner: Runner, require_alive: Callable[[], None]) -> None:
    stopped = asyncio.Event()
    serving = asyncio.create_task(runner.start())
    while not (runner.started or serving.done()):
        await asyncio.sleep(0.05)
    # Only now: the runner has set a handler of its own, which would kill the flow runs.
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    try:
        while not (stopped.is_set() or serving.done()):
            require_alive()
            await asyncio.sleep(0.2)
        if serving.done():
            serving.result()  # raises what ended it
    finally:
        await _end_flow_runs()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def _end_flow_runs() -> None:
    """Ask the flow runs to end while the server is there to hear of it; those that are too slow die with this
    process."""
    processes = [each for each in psutil.Process().children() if "prefect.engine" in each.cmdline()]
    if processes:
        logger.info("Stopping %d processes; a training writes a checkpoint first ...", len(processes))
    for process in processes:
        process.terminate()
    await asyncio.to_thread(psutil.wait_procs, processes, CHECKPOINT_SECONDS)
