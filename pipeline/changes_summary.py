"""What a run brought, in Markdown: for a flow's page or a mail."""

from collections import Counter
from collections.abc import Sequence

from manifests.manifest import Manifest
from pipeline.config import RunConfig
from pipeline.evaluation.files import read_evaluation
from pipeline.evaluation.measured import MeasuredWeights
from pipeline.evaluation.table import as_table
from pipeline.prepare import Prepared
from pipeline.run import RunResult
from pipeline.shards import SnapshotRef
from pipeline.snapshot_files import measured_of

__all__ = ["new_sets", "summarize"]


def new_sets(config: RunConfig, before: int, after: int) -> list[str]:
    """Names of the sets whose images came between two versions, sorted."""
    return sorted(_came_and_went(config, before, after)[0])


def summarize(config: RunConfig, prepared: Prepared, result: RunResult, before: int) -> str:
    """The newest version, what changed since version `before`, what was left out, and what drew it."""
    came, went = _came_and_went(config, before, result.version)
    lines = [
        f"# {config.name}, version {result.version}",
        "",
        f"{result.num_images} images in `{config.output}`, {result.num_generated} of them drawn by this run "
        f"with `{result.snapshot}`.",
    ]
    if result.version == before:
        lines += ["", "Nothing has changed since the run before."]
    else:
        rows = [(name, str(came[name]), str(went[name])) for name in sorted(came | went)]
        since = f"Since version {before}:" if before else "The first version:"
        lines += ["", since, "", *_table(("set", "images new", "images gone"), rows)]
    left_out = [finding for finding in prepared.findings if finding.code == "bad-set"]
    if left_out:
        rows = [(each.path.name, each.what) for each in left_out]
        lines += ["", "Left out:", "", *_table(("set", "why"), rows)]
    measured = measured_of(result.snapshot)
    if measured is not None:
        lines += ["", *_adherence(measured)]
    evaluation = read_evaluation(config.run_dir, SnapshotRef.of(result.snapshot))
    if evaluation is not None:
        lines += ["", "```", as_table(evaluation), "```"]
    return "\n".join(lines) + "\n"


def _came_and_went(config: RunConfig, before: int, after: int) -> tuple[Counter[str], Counter[str]]:
    """Images by set that only the second version has, and that only the first one has."""
    old, new = (_sets_by_id(config, version) for version in (before, after))
    return (
        Counter(name for key, name in new.items() if key not in old),
        Counter(name for key, name in old.items() if key not in new),
    )


def _sets_by_id(config: RunConfig, version: int) -> dict[str, str]:
    if version == 0:
        return {}
    table = Manifest.open(config.output, version=version).table
    return dict(zip(table["sample_id"].to_pylist(), table["source_set"].to_pylist(), strict=True))


def _adherence(measured: MeasuredWeights) -> list[str]:
    scores = measured.scores[measured.best]
    rows = [(name, "" if iou is None else f"{iou:.3f}") for name, iou in scores.iou.items()]
    return [
        f"Adherence of the snapshot on training labels ({measured.best} weights, judge {measured.judge}): "
        f"mIoU {measured.best_miou:.3f}",
        "",
        *_table(("class", "IoU"), rows),
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines]
