"""All that an entry's result depends on, and what differs between two of them."""

from collections.abc import Mapping
from typing import Any

from gan.config import RESUMABLE_CHANGES
from pipeline.comparison.config import CompareConfig
from pipeline.config import RunConfig, fingerprint
from pipeline.evaluation.boxes import read_boxes
from pipeline.evaluation.judge_files import JUDGE_NUMBER
from pipeline.prepare import Prepared
from pipeline.snapshot_files import base_sha256

__all__ = ["differences", "flat", "resolved_measure", "resolved_training"]

WITHOUT_EFFECT = RESUMABLE_CHANGES - {"snapshot_every_images"}
"""Of the training's settings; the best snapshot depends on how many there are to choose from."""


def resolved_training(config: CompareConfig, run: RunConfig, prepared: Prepared) -> dict[str, Any]:
    """What the weights of an entry depend on, as plain values for JSON.

    Args:
        config: the comparison.
        run: the entry's, with its scenes among its sources.
        prepared: its sources.

    Raises:
        ConfigError: a file that the run names cannot be used.
    """
    labels = [(label.source_label, label.source_sha256, label.render_sha256) for label in prepared.records]
    photos = [(photo.part, photo.path.name, photo.sha256) for photo in prepared.photos]
    return {
        "budget": {"minutes": config.minutes, "total_images": config.total_images},
        "train": run.train.model_dump(mode="json", exclude=WITHOUT_EFFECT),
        "from_snapshot": base_sha256(run),
        "noise": run.noise.model_dump(mode="json"),
        "palette": fingerprint(run.read_palette()),
        "sources": fingerprint({"labels": labels, "photos": photos}),
    }


def resolved_measure(run: RunConfig) -> dict[str, Any]:
    """What the figures of given weights and sources depend on, as plain values for JSON.

    Raises:
        ConfigError: a file with boxes cannot be used.
    """
    return {
        "evaluate": run.evaluate.model_dump(mode="json", exclude={"judges": True, "inception": {"path"}}),
        "boxes": fingerprint(dict(read_boxes(run.sources.photos))),
        "judge_number": JUDGE_NUMBER,
    }


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Dotted names of the values that differ or that one of both lacks."""
    ours, theirs = flat(one), flat(other)
    missing = object()
    return [key for key in ours | theirs if ours.get(key, missing) != theirs.get(key, missing)]


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one: "train.loss.identity" -> 5.0."""
    found = {}
    for key, value in values.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found
