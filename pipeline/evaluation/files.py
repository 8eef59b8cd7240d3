"""Evaluations of a run's snapshots as JSON files in its folder."""

from pathlib import Path

from pydantic import TypeAdapter

from manifests.durable import make_folders, write_durable
from pipeline.evaluation.results import Evaluation, as_json
from pipeline.shards import SnapshotRef

__all__ = ["evaluation_path", "read_evaluation", "write_evaluation"]


def evaluation_path(run_dir: Path, snapshot: Path) -> Path:
    """Where the evaluation of a snapshot lies: "evaluation-<snapshot>.json"."""
    return run_dir / f"evaluation-{snapshot.stem}.json"


def read_evaluation(run_dir: Path, snapshot: SnapshotRef) -> Evaluation | None:
    """The evaluation of a snapshot; None where there is none, or that of another snapshot of the same name.

    Raises:
        pydantic.ValidationError: the file holds something else.
    """
    path = evaluation_path(run_dir, snapshot.path)
    if not path.exists():
        return None
    found = TypeAdapter(Evaluation).validate_json(path.read_bytes())
    return found if found.judged.snapshot_sha256 == snapshot.sha256 else None


def write_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write an evaluation for good, and the folder where it is missing."""
    make_folders(path.parent)
    write_durable(path, as_json(evaluation).encode())
