"""One process that serves runs on this machine: their schedules, their landing folders, their flow runs."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from prefect import get_client
from prefect.runner import Runner

from flows.deployments import deployment_of, prepare_server
from flows.device_slots import num_slots
from flows.landing_watch import watching
from pipeline.config import RunConfig

__all__ = ["serve_runs"]

logger = logging.getLogger(__name__)

POLL_SECONDS = 2.0


def serve_runs(configs: Mapping[Path, RunConfig]) -> None:
    """Register the runs' deployments, start each run once, and serve them until SIGINT or SIGTERM.

    Schedules pause when it ends.

    Args:
        configs: of each YAML file, the run.
    """
    prepare_server(num_slots())
    runner = Runner(name="seg2real", query_seconds=POLL_SECONDS, limit=None, pause_on_shutdown=True)
    ids = [runner.add_deployment(deployment_of(path)) for path in configs]
    with get_client(sync_client=True) as client:
        for deployment_id in ids:
            client.create_flow_run_from_deployment(deployment_id)
    with watching(configs.values()):
        asyncio.run(runner.start())
