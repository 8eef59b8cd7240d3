"""The generation of a run mapped on the workers of a cluster, a local one or one that runs: Ray or Dask."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.parameters import UsageError
from flows.prefect_settings import hear_packages
from pipeline.config import RunConfig
from pipeline.generate import Generation, ShardFiles
from pipeline.prepare import Prepared
from pipeline.renewal_config import FlowConfig
from pipeline.shards import Shard, SnapshotRef
from pipeline.staging import StagedShard

__all__ = ["generate_on_cluster"]

_made: dict[str, Generation] = {}
"""What this worker's process draws with."""


def generate_on_cluster(
    config: RunConfig, prepared: Prepared, snapshot: SnapshotRef, shards: list[Shard]
) -> list[StagedShard]:
    """As `pipeline.run.generate_stage`, a task for each shard; the same bytes as on one machine.

    Workers must see sources, snapshot and output under the same names, and have this project installed.

    Raises:
        UsageError: the runner's package is not installed.
    """
    runner = _runner(config.flow)
    mapped = flow(
        name="generate-shards", task_runner=runner, persist_result=False, validate_parameters=False
    )(_generate)
    return mapped(config, prepared, snapshot, shards)


def _generate(
    config: RunConfig, prepared: Prepared, snapshot: SnapshotRef, shards: list[Shard]
) -> list[StagedShard]:
    with _resources(config.flow):
        drawn = [
            _draw_shard.submit(config, snapshot, shard, ShardFiles.of(shard, prepared)) for shard in shards
        ]
    return [future.result() for future in drawn]


@task(
    name="generate shard",
    task_run_name="shard {shard.number}",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=10,
)
def _draw_shard(config: RunConfig, snapshot: SnapshotRef, shard: Shard, files: ShardFiles) -> StagedShard:
    hear_packages()
    return _generation(config, snapshot).run(shard, files, lambda: None)


def _generation(config: RunConfig, snapshot: SnapshotRef) -> Generation:
    """Made once for a worker, not for every shard."""
    key = f"{snapshot.sha256} {config.model_dump_json()}"
    if key not in _made:
        _made.clear()
        _made[key] = Generation(config, snapshot)
    return _made[key]


def _runner(settings: FlowConfig) -> Any:
    if settings.runner == "ray":
        try:
            from prefect_ray import RayTaskRunner
        except ImportError:
            raise _missing("ray") from None
        return RayTaskRunner(address=settings.runner_address or None)
    try:
        from prefect_dask import DaskTaskRunner
    except ImportError:
        raise _missing("dask") from None
    if settings.runner_address:
        return DaskTaskRunner(address=settings.runner_address)
    resources = {"resources": {"GPU": 1}} if settings.gpus_per_shard else {}
    return DaskTaskRunner(cluster_kwargs={"threads_per_worker": 1, **resources})


@contextmanager
def _resources(settings: FlowConfig) -> Iterator[None]:
    """What each task asks of the cluster."""
    if not settings.gpus_per_shard:
        yield
    elif settings.runner == "ray":
        from prefect_ray.context import remote_options

        with remote_options(num_gpus=settings.gpus_per_shard):
            yield
    else:
        import dask

        with dask.annotate(resources={"GPU": settings.gpus_per_shard}):
            yield


def _missing(extra: str) -> UsageError:
    return UsageError(f"flow.runner '{extra}' needs the package prefect-{extra}; install seg2real[{extra}].")
