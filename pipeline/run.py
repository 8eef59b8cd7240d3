"""The whole job as a list of stages: gather and check sources, train, generate, publish."""

import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from manifests.about import ABOUT_NAME, About, write_about
from manifests.description import describe_dataset
from manifests.durable import exclusive_lock, make_folders, write_durable
from manifests.files import STAGING_FOLDER
from manifests.manifest import Manifest
from manifests.reader import TABLE_NAME
from manifests.report.page import PAGE_NAME
from manifests.storage.opening import open_store
from pipeline.config import ConfigError, RunConfig
from pipeline.contact_sheet import draw_contact_sheet
from pipeline.drawn_size import undrawable
from pipeline.images import encode_png
from pipeline.landing_mirror import mirror_folder, mirror_sets
from pipeline.prepare import Prepared, prepare
from pipeline.progress import ShowProgress, show_progress
from pipeline.publish import output_conflict, publish
from pipeline.report import METRICS_NAME, is_older, write_page
from pipeline.retraining import newest_training, training_to_use
from pipeline.scenes.drawing import SCENES_FOLDER, draw_scenes
from pipeline.shards import Shard, SnapshotRef, plan_shards, wanted_samples
from pipeline.snapshot_files import best_snapshot, finished_snapshot
from pipeline.staging import StagedShard, read_staged, remove_leftovers

__all__ = [
    "Plan",
    "RunResult",
    "evaluate_stage",
    "gather_stage",
    "generate_stage",
    "hold_output",
    "plan_stage",
    "prepare_stage",
    "report_stage",
    "require_drawable",
    "run",
    "scenes_folder",
    "train_stage",
    "with_gathered",
]

logger = logging.getLogger(__name__)


class Plan(NamedTuple):
    """What is left to generate."""

    to_do: list[Shard]
    staged: list[StagedShard]
    """Done by an earlier run and not published yet."""


class RunResult(NamedTuple):
    """What a run left."""

    version: int
    """Newest version of the dataset."""
    num_generated: int
    """Images drawn by this run."""
    num_images: int
    """Images in the dataset."""
    snapshot: Path
    contact_sheet: Path
    page: Path
    """The dataset to look at, in a browser."""


def run(
    config: RunConfig, show: ShowProgress = show_progress, *, trains: bool = True, num_processes: int = 1
) -> RunResult:
    """From segmentation images to a published dataset; run again, it does what is left to do.

    Args:
        config: the run.
        show: how progress is shown.
        trains: False = draw with the best snapshot that is there.
        num_processes: that train together.

    Raises:
        ConfigError: there is no snapshot and it may not train, the output has other classes, or a label has a
            size that the networks cannot draw.
        TooManyBadInputs: the sources hold too little that can be used.
        Interrupted: SIGINT or SIGTERM came while training; a checkpoint is written.
        TrainingDiverged: a loss or weight is not finite.
        LockHeldError: another process works on the same output.
        DiskFullError: a file did not fit; what was committed is intact.
    """
    with hold_output(config):
        config = gather_stage(config, show)
        needs_photos = trains or config.train.drawn_background == "photo"
        prepared = prepare_stage(config, show, needs_photos=needs_photos)
        require_drawable(config, prepared)
        config = training_to_use(config, prepared) if trains else newest_training(config)
        snapshot = train_stage(config, prepared, show, num_processes) if trains else _best(config)
        if config.evaluate.before_generating:
            evaluate_stage(config, prepared, snapshot, show)
        plan = plan_stage(config, prepared, snapshot)
        drawn = generate_stage(config, prepared, snapshot, plan.to_do, show)
        version = publish(
            config,
            [*plan.staged, *drawn],
            prepared.records,
            missing_sets=prepared.missing_sets,
            snapshot_sha256=snapshot.sha256,
        )
        return report_stage(config, snapshot, version, drawn, show)


@contextmanager
def hold_output(config: RunConfig) -> Iterator[None]:
    """Keep other runs away from the output for the length of the block.

    Raises:
        LockHeldError: another process works on it.
        ConfigError: it holds a dataset of other classes.
    """
    staging = config.output / STAGING_FOLDER
    make_folders(staging)
    with exclusive_lock(staging / "run.lock", what=f"The output {config.output}"):
        conflict = output_conflict(config.output, config.read_palette())
        if conflict is not None:
            raise ConfigError(f"{config.output} cannot be used: {conflict}; choose another output.")
        yield


def gather_stage(config: RunConfig, show: ShowProgress = show_progress) -> RunConfig:
    """Draw the scenes that the config asks for, fetch the sets that have landed in object stores, and return
    it with both among its sources."""
    if config.scenes is not None:
        with show("draw scenes", "pictures") as progress:
            draw_scenes(scenes_folder(config), config.scenes, config.read_palette(), progress=progress)
    for url in config.sources.landing:
        with show("fetch sets", "files") as progress:
            mirror_sets(url, mirror_folder(config.run_dir, url), progress)
    return with_gathered(config)


def scenes_folder(config: RunConfig) -> Path:
    """Where a run's own scenes lie, in the layout of any other source."""
    return config.run_dir / SCENES_FOLDER


def with_gathered(config: RunConfig) -> RunConfig:
    """The config with its scenes and its copies of landed sets among the sources."""
    scenes, mirrors = config.scenes, [mirror_folder(config.run_dir, url) for url in config.sources.landing]
    drawn = (scenes_folder(config),)
    sources = config.sources.model_copy(
        update={
            "labels": (*config.sources.labels, *(drawn if scenes and scenes.num else ()), *mirrors),
            "photos": (*config.sources.photos, *(drawn if scenes and scenes.num_photos else ())),
        }
    )
    return config.model_copy(update={"sources": sources})


def prepare_stage(
    config: RunConfig, show: ShowProgress = show_progress, *, needs_photos: bool = True
) -> Prepared:
    """Find, hash and check every source file; bad ones are listed in `_quarantine/`."""
    with show("check sources", "files") as progress:
        prepared = prepare(
            config.sources,
            config.read_palette(),
            cache=config.run_dir / "sources.json",
            quarantine=config.output / "_quarantine",
            progress=progress,
            needs_photos=needs_photos,
            needs_renders=config.train.conditioning == "render",
        )
    for finding in prepared.findings:
        logger.warning("%s", finding)
    logger.info("%d labels and %d photographs can be used.", len(prepared.records), len(prepared.photos))
    return prepared


def require_drawable(config: RunConfig, prepared: Prepared) -> None:
    """Go on only if the networks can draw a picture of every label; asked before they train.

    Raises:
        ConfigError: one has a size that they cannot draw.
    """
    paths = prepared.label_paths
    found = undrawable(
        config, ((paths[label.source_sha256], label.width, label.height) for label in prepared.records)
    )
    if found is not None:
        raise ConfigError(f"{found.path}: {found.what}; {found.fix}.")


def train_stage(
    config: RunConfig,
    prepared: Prepared,
    show: ShowProgress = show_progress,
    num_processes: int = 1,
    *,
    apart: bool = False,
) -> SnapshotRef:
    """Train, resume, or find that training is complete; the best snapshot of the run is what counts.

    Args:
        config: the run.
        prepared: its sources.
        show: how progress is shown.
        num_processes: that train together.
        apart: True = even one trains in a process of its own, whose death the caller survives.
    """
    if finished_snapshot(config) is None:
        from pipeline.evaluation.meter import meter_of

        images, meter = prepared.train_images, meter_of(config, prepared)
        if num_processes > 1 or apart:
            from pipeline.training_processes import train_in_processes

            train_in_processes(config, *images, num_processes=num_processes, meter=meter, show=show)
        else:
            from pipeline.training import train_run

            train_run(config, *images, meter=meter, show=show)
    return _best(config)


def _best(config: RunConfig) -> SnapshotRef:
    chosen = best_snapshot(config)
    if chosen is None:
        raise ConfigError(f"{config.run_dir} holds no snapshot of these settings; train it first.")
    logger.info("%s", chosen.why)
    return SnapshotRef.of(chosen.path)


def evaluate_stage(
    config: RunConfig, prepared: Prepared, snapshot: SnapshotRef, show: ShowProgress = show_progress
) -> None:
    """Measure the snapshot as training data, where it is not measured yet."""
    from pipeline.evaluation.files import evaluation_path, read_evaluation, write_evaluation

    if read_evaluation(config.run_dir, snapshot) is None:
        from pipeline.evaluation.evaluate import evaluate

        found = evaluate(config, prepared, snapshot, show=show)
        write_evaluation(evaluation_path(config.run_dir, snapshot.path), found)


def plan_stage(config: RunConfig, prepared: Prepared, snapshot: SnapshotRef) -> Plan:
    """Compare what is wanted with what is published and staged; remove what killed runs left."""
    published = Manifest.open(config.output).table
    splits = dict(zip(*(published[name].to_pylist() for name in ("source_sha256", "split")), strict=True))
    palette, photos = config.read_palette(), prepared.background_paths
    wanted = wanted_samples(config, palette, prepared.records, snapshot, splits, photos)
    staged = read_staged(config.output)
    plan = Plan(*plan_shards(wanted, published, staged, shard_labels=config.generate.shard_labels))
    remove_leftovers(config.output, published, plan.staged)
    return plan


def generate_stage(
    config: RunConfig,
    prepared: Prepared,
    snapshot: SnapshotRef,
    shards: list[Shard],
    show: ShowProgress = show_progress,
) -> list[StagedShard]:
    """Draw every picture of the shards; each one is staged as soon as it is whole, and those that are staged
    are not drawn again."""
    if not shards:
        logger.info("Nothing new to generate.")
        return []
    from pipeline.generate import Generation, ShardFiles

    generation = Generation(config, snapshot)
    staged = {shard.name: shard for shard in read_staged(config.output)}
    total = sum(len(shard.samples) for shard in shards)
    drawn = [staged[shard.name] for shard in shards if shard.name in staged]
    done = itertools.count(1 + sum(shard.num_samples for shard in drawn))
    with show("generate", "images") as progress:
        progress(0, total)
        for shard in shards:
            if shard.name not in staged:
                files = ShardFiles.of(shard, prepared)
                drawn.append(generation.run(shard, files, lambda: progress(next(done), total)))
    return drawn


def report_stage(
    config: RunConfig,
    snapshot: SnapshotRef,
    version: int,
    drawn: list[StagedShard],
    show: ShowProgress = show_progress,
) -> RunResult:
    """Describe the dataset, draw its contact sheet and its page where they are older than what they show, and
    sum up."""
    manifest = Manifest.open(config.output)
    sheet, page = config.output / "report" / "contact-sheet.png", config.output / PAGE_NAME
    table = config.output / TABLE_NAME
    _describe(config)
    if is_older(sheet, table):
        make_folders(sheet.parent)
        write_durable(sheet, encode_png(draw_contact_sheet(config.output, manifest.table)))
    if is_older(page, table, config.output / ABOUT_NAME, config.run_dir / METRICS_NAME):
        with show("report", "rows") as progress:
            write_page(manifest, config.run_dir, progress=progress)
    num_generated = sum(shard.num_samples for shard in drawn)
    return RunResult(version, num_generated, manifest.table.num_rows, snapshot.path, sheet, page)


def _describe(config: RunConfig) -> None:
    """Renew the dataset's card and croissant.json with the words of the config."""
    words = config.publish.model_dump(include={"description", "licence", "sources", "url"})
    about = About(name=config.name, **{key: value for key, value in words.items() if value})
    store = open_store(config.output)
    write_about(store, about)
    describe_dataset(store)
