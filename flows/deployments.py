"""The deployments of runs, and what a server needs beside them: slots of devices, and the end of zombies."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from prefect import get_client
from prefect.automations import AutomationCore, EventTrigger, Posture
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy, StateType
from prefect.deployments.runner import EntrypointType, RunnerDeployment
from prefect.events import DeploymentEventTrigger
from prefect.events.actions import ChangeFlowRunState
from prefect.exceptions import ObjectNotFound

from flows.device_slots import slot_name
from flows.generate_soccer_dataset import generate_soccer_dataset
from flows.parameters import UsageError
from pipeline.config import RunConfig, load_config

__all__ = ["LANDED_EVENT", "ZOMBIES", "deploy_to_pool", "deployment_of", "landing_resource", "prepare_server"]

LANDED_EVENT = "seg2real.set-landed"
"""What the watcher says when a set has landed; others may say it, too."""

ZOMBIES = "seg2real: end runs whose process is gone"
"""Name of the automation."""

HEARTBEATS_MISSED_SECONDS = 90
_HEARTBEAT = "prefect.flow-run.heartbeat"
_ENDS = ("Completed", "Failed", "Cancelled", "Crashed")


def landing_resource(name: str) -> str:
    """The resource that an event of a run's landing folders is about."""
    return f"seg2real.landing.{name}"


def deployment_of(path: Path, **settings: Any) -> RunnerDeployment:
    """The deployment "generate-soccer-dataset/<name>": it comes by its schedule, and when a set lands.

    One run at a time; those that come meanwhile wait.

    Args:
        path: the run's YAML.
        settings: further ones of the deployment, such as its work pool.

    Raises:
        ConfigError: the run's config cannot be used.
    """
    config = load_config(path)
    return generate_soccer_dataset.to_deployment(
        config.name,
        **_schedule(config),
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE
        ),
        parameters={"config": str(path.resolve())},
        triggers=[
            DeploymentEventTrigger(
                name=f"seg2real: a set landed for {config.name}",
                expect={LANDED_EVENT},
                match={"prefect.resource.id": landing_resource(config.name)},
            )
        ],
        description=f"Draws images for new segmentation sets of `{path.resolve()}` and publishes them to "
        f"`{config.output}`.",
        tags=["seg2real"],
        entrypoint_type=EntrypointType.MODULE_PATH,
        **settings,
    )


def deploy_to_pool(path: Path, pool: str, job_variables: Mapping[str, Any]) -> None:
    """Register a run's deployment for the workers of a work pool, which have this project installed and see
    the same files.

    Args:
        path: the run's YAML.
        pool: the work pool.
        job_variables: what its jobs have otherwise than the pool says.

    Raises:
        UsageError: the server has no such pool.
        ConfigError: the run's config cannot be used.
    """
    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(pool)
        except ObjectNotFound:
            raise UsageError(
                f"The server has no work pool '{pool}'; make one with: "
                f"prefect work-pool create {pool} --type process"
            ) from None
    deployment_of(path, work_pool_name=pool, job_variables=dict(job_variables)).apply()


def _schedule(config: RunConfig) -> dict[str, Any]:
    if config.flow.cron:
        return {"cron": config.flow.cron}
    return {"interval": timedelta(minutes=config.flow.every_minutes)}


def prepare_server(slots: Mapping[str, int]) -> None:
    """Make on the server what the runs count on: a slot for each device, and an automation that ends runs
    whose process is gone.

    Args:
        slots: of each kind of device, how many runs can compute on such devices at once.
    """
    with get_client(sync_client=True) as client:
        for kind, number in slots.items():
            client.upsert_global_concurrency_limit_by_name(slot_name(kind), number)
        if not client.find_automation(ZOMBIES):
            client.create_automation(_zombie_automation())


def _zombie_automation() -> AutomationCore:
    return AutomationCore(
        name=ZOMBIES,
        description="A run that was killed together with its worker stays Running otherwise.",
        trigger=EventTrigger(
            after={_HEARTBEAT},
            expect={_HEARTBEAT, *(f"prefect.flow-run.{end}" for end in _ENDS)},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related={
                "prefect.resource.role": "flow",
                "prefect.resource.name": generate_soccer_dataset.name,
            },
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=HEARTBEATS_MISSED_SECONDS),
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                message="Its process is gone. The next run goes on from what it left.",
            )
        ],
    )
