"""The flow `generate-soccer-dataset`: the stages of `pipeline.run`, each as a Prefect task."""

from pathlib import Path

from prefect import State, Task, flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import TaskRun

from flows.artifacts import artifact_progress, show_picture
from flows.prefect_settings import PACKAGES, hear_packages
from pipeline.config import RunConfig, load_config
from pipeline.images import read_image
from pipeline.prepare import Prepared
from pipeline.publish import publish
from pipeline.run import (
    Plan,
    RunResult,
    draw_stage,
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

__all__ = ["generate_soccer_dataset"]


def _may_pass(_task: Task, _run: TaskRun, state: State) -> bool:
    """Disks and devices recover; what this project raises on purpose comes again on every attempt."""
    error = state.result(raise_on_failure=False)
    is_own = type(error).__module__.partition(".")[0] in PACKAGES
    return isinstance(error, OSError | MemoryError | RuntimeError) and not is_own


_stage = {
    "cache_policy": NO_CACHE,
    "persist_result": False,
    "retries": 2,
    "retry_delay_seconds": [10, 60],
    "retry_condition_fn": _may_pass,
}


@task(name="draw scenes", **_stage)
def draw(config: RunConfig) -> RunConfig:
    return draw_stage(config, artifact_progress)


@task(name="check sources", **_stage)
def prepare(config: RunConfig) -> Prepared:
    prepared = prepare_stage(config, artifact_progress)
    require_drawable(config, prepared)
    return prepared


@task(name="train", **_stage)
def train(config: RunConfig, prepared: Prepared, num_processes: int) -> SnapshotRef:
    snapshot = train_stage(config, prepared, artifact_progress, num_processes)
    previews = numbered_files(config.run_dir / "previews", "preview", "png")
    if previews:
        show_picture("training preview", read_image(previews[-1][1]))
    return snapshot


@task(name="plan", **_stage)
def plan(config: RunConfig, prepared: Prepared, snapshot: SnapshotRef) -> Plan:
    return plan_stage(config, prepared, snapshot)


@task(name="generate", **_stage)
def generate(
    config: RunConfig, prepared: Prepared, snapshot: SnapshotRef, shards: list[Shard]
) -> list[Shard]:
    return generate_stage(config, prepared, snapshot, shards, artifact_progress)


@task(name="publish", **_stage)
def commit(
    config: RunConfig, prepared: Prepared, snapshot: SnapshotRef, staged: list[Shard], drawn: list[Shard]
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
    create_markdown_artifact(
        f"Version {result.version} of `{config.output}`: {result.num_images} images, "
        f"{result.num_generated} of them new, drawn by `{result.snapshot.name}`.",
        key="summary",
    )
    return result


@flow(
    name="generate-soccer-dataset",
    flow_run_name="{config.stem}",
    persist_result=False,
    validate_parameters=True,
)
def generate_soccer_dataset(
    config: Path, overrides: list[str] | None = None, num_processes: int = 1
) -> RunResult:
    """From segmentation images to a published dataset; run again, it does what is left to do.

    Args:
        config: the run's YAML file.
        overrides: settings for this run, such as "train.batch_size=4".
        num_processes: that train together, one for each GPU.
    """
    hear_packages()
    resolved = load_config(config, overrides or ())
    with hold_output(resolved):
        resolved = draw(resolved)
        prepared = prepare(resolved)
        snapshot = train(resolved, prepared, num_processes)
        to_do, staged = plan(resolved, prepared, snapshot)
        drawn = generate(resolved, prepared, snapshot, to_do)
        return commit(resolved, prepared, snapshot, staged, drawn)
