"""The flow `generate-soccer-dataset`: the stages of `pipeline.run`, each as a Prefect task."""

from pathlib import Path
from uuid import UUID

from prefect import State, Task, flow, get_client, task
from prefect.artifacts import create_link_artifact, create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import TaskRun
from prefect.runtime import deployment, flow_run

from flows.artifacts import artifact_progress, show_picture
from flows.changes import Changes, as_overrides
from flows.device_slots import device_slots
from flows.prefect_settings import PACKAGES, hear_packages
from flows.processes import end_with_parent
from manifests.versions import version_numbers
from pipeline.changes_summary import new_sets, summarize
from pipeline.config import RunConfig, load_config
from pipeline.images import read_image
from pipeline.interruption import TrainingProcessDied
from pipeline.prepare import Prepared
from pipeline.publish import publish
from pipeline.retraining import training_to_use
from pipeline.run import (
    Plan,
    RunResult,
    evaluate_stage,
    gather_stage,
    generate_stage,
    hold_output,
    plan_stage,
    prepare_stage,
    report_stage,
    require_drawable,
    train_stage,
)
from pipeline.shards import Shard, SnapshotRef
from pipeline.snapshot_files import numbered_files
from pipeline.staging import StagedShard

__all__ = ["generate_soccer_dataset"]

MAX_SETS_IN_NAME = 3


def _may_pass(_task: Task, _run: TaskRun, state: State) -> bool:
    """Disks and devices recover, and a training whose process was killed goes on from its checkpoint; what
    else this project raises on purpose comes again on every attempt."""
    error = state.result(raise_on_failure=False)
    if isinstance(error, TrainingProcessDied):
        return True
    is_own = type(error).__module__.partition(".")[0] in PACKAGES
    return isinstance(error, OSError | MemoryError | RuntimeError) and not is_own


_stage = {
    "cache_policy": NO_CACHE,
    "persist_result": False,
    "retries": 2,
    "retry_delay_seconds": [10, 60],
    "retry_condition_fn": _may_pass,
}


@task(name="gather sources", **_stage)
def gather(config: RunConfig) -> RunConfig:
    return gather_stage(config, artifact_progress)


@task(name="check sources", **_stage)
def prepare(config: RunConfig) -> Prepared:
    prepared = prepare_stage(config, artifact_progress)
    require_drawable(config, prepared)
    return prepared


@task(name="train", **_stage)
def train(config: RunConfig, prepared: Prepared) -> SnapshotRef:
    num_processes = config.flow.num_processes
    with device_slots(config.train.device, num_processes) as device:
        on_device = _on(config, device)
        snapshot = train_stage(on_device, prepared, artifact_progress, num_processes, apart=True)
    previews = numbered_files(config.run_dir / "previews", "preview", "png")
    if previews:
        show_picture("training preview", read_image(previews[-1][1]))
    return snapshot


@task(name="evaluate", **_stage)
def evaluate(config: RunConfig, prepared: Prepared, snapshot: SnapshotRef) -> None:
    with device_slots(config.train.device) as device:
        evaluate_stage(_on(config, device), prepared, snapshot, artifact_progress)


@task(name="plan", **_stage)
def plan(config: RunConfig, prepared: Prepared, snapshot: SnapshotRef) -> Plan:
    return plan_stage(config, prepared, snapshot)


@task(name="generate", **_stage)
def generate(
    config: RunConfig, prepared: Prepared, snapshot: SnapshotRef, shards: list[Shard]
) -> list[StagedShard]:
    with device_slots(config.train.device) as device:
        return generate_stage(_on(config, device), prepared, snapshot, shards, artifact_progress)


def _on(config: RunConfig, device: str) -> RunConfig:
    return config.model_copy(update={"train": config.train.model_copy(update={"device": device})})


@task(name="publish", **_stage)
def commit(
    config: RunConfig,
    prepared: Prepared,
    snapshot: SnapshotRef,
    staged: list[StagedShard],
    drawn: list[StagedShard],
    before: int,
) -> RunResult:
    version = publish(
        config,
        [*staged, *drawn],
        prepared.records,
        missing_sets=prepared.missing_sets,
        snapshot_sha256=snapshot.sha256,
    )
    result = report_stage(config, snapshot, version, drawn)
    show_picture("dataset", read_image(result.contact_sheet))
    create_markdown_artifact(summarize(config, prepared, result, before), key="summary")
    create_link_artifact(result.page.as_uri(), key="report", link_text=str(result.page))
    _name_run(config, before, version)
    return result


def _name_run(config: RunConfig, before: int, version: int) -> None:
    """Let the run's name say what it brought: "soccer: night, rain (version 3)"."""
    sets = new_sets(config, before, version)
    shown = ", ".join(sets[:MAX_SETS_IN_NAME]) + (", ..." if len(sets) > MAX_SETS_IN_NAME else "")
    brought = (shown or "images gone") if version != before else "nothing new"
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(flow_run.id), name=f"{config.name}: {brought} (version {version})")


@flow(
    name="generate-soccer-dataset",
    flow_run_name="{config.stem}",
    persist_result=False,
    validate_parameters=True,
)
def generate_soccer_dataset(config: Path, changes: Changes | None = None) -> RunResult:
    """From segmentation images to a published dataset; run again, it does what is left to do.

    Args:
        config: the run's YAML file.
        changes: settings for this run; what is left out is as the file has it.
    """
    if deployment.id:
        end_with_parent()
    hear_packages()
    resolved = load_config(config, as_overrides(changes) if changes else ())
    with hold_output(resolved):
        before = max(version_numbers(resolved.output), default=0)
        resolved = gather(resolved)
        prepared = prepare(resolved)
        resolved = training_to_use(resolved, prepared)
        snapshot = train(resolved, prepared)
        if resolved.evaluate.before_generating:
            evaluate(resolved, prepared, snapshot)
        to_do, staged = plan(resolved, prepared, snapshot)
        if resolved.flow.runner == "threads" or not to_do:
            drawn = generate(resolved, prepared, snapshot, to_do)
        else:
            from flows.shard_runners import generate_on_cluster

            drawn = generate_on_cluster(resolved, prepared, snapshot, to_do)
        return commit(resolved, prepared, snapshot, staged, drawn, before)
