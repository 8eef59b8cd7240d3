"""What an evaluation finds: numbers, and all that one needs to know to compare them."""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pipeline.evaluation.several import MeanScores

__all__ = [
    "Adherence",
    "Budget",
    "Copying",
    "Detection",
    "DetectionScores",
    "Distribution",
    "Diversity",
    "Evaluation",
    "Judged",
    "TrainedOn",
    "Usefulness",
    "as_json",
    "as_plain",
]

TrainedOn = Literal["real", "generated", "both"]
"""What a judge learned from: labelled photographs, generated images and their labels, or both by turns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was measured."""

    name: str
    """Of the run."""
    method: str
    snapshot: str
    """File name."""
    snapshot_sha256: str
    num_images_seen: int
    """By the generator in training."""
    holds: Literal["ema", "raw"] | None
    """Averaged or raw weights; None where the snapshot does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How it was measured; results of equal budgets and sources can be compared."""

    width: int
    """Of the images in px."""
    height: int
    seed: int
    judge_width: int
    judge_images: int
    """Images that each judge saw in its training."""
    num_judges: int
    """Of each kind; scores are their means, and `_sd` is the sample standard deviation over them."""
    num_variants: int
    """Generated images per label."""
    num_train_labels: int
    num_test_labels: int
    num_train_pairs: int
    num_test_pairs: int
    num_train_photos: int
    num_test_photos: int
    has_test_labels: bool
    """False = the generator has seen the held-out labels, as no test folder holds any."""
    has_test_pairs: bool
    """False = the generator has seen photographs of the held-out pairs, which give the usefulness: no test
    folder holds any; or there are none."""
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Adherence:
    """What judges read from images that were generated from held-out labels, against these labels."""

    judge: TrainedOn
    """ "generated" where there are no labelled photographs: images of other labels."""
    generated: MeanScores
    real: MeanScores | None
    """The same judges on held-out labelled photographs: what can be reached; None where there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usefulness:
    """Segmenters of equal budget, tested on held-out labelled photographs."""

    generated: MeanScores
    """Trained on generated images and their labels only."""
    real: MeanScores
    """Trained on labelled photographs only."""
    both: MeanScores
    """Trained on both by turns."""
    ratio: float | None
    """mIoU of a judge of `generated` over that of the judge of `real` with the same seed, the mean over
    seeds; None where the latter are 0."""
    ratio_sd: float | None
    gain: float
    """mIoU of a judge of `both` less that of the judge of `real` with the same seed, the mean over seeds."""
    gain_sd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionScores:
    """Found boxes of one class against those that people drew, over all photographs: means over judges, with
    sample standard deviations (`_sd`), which are None for one judge.

    Things that touch are one patch, and frames whose boxes are incomplete make right boxes look wrong: the
    figures compare judges; they are no detector's.
    """

    num_wanted: int
    num_found: float
    precision: float | None
    """Share of the found that is right, over the judges that found any; None where none did."""
    precision_sd: float | None
    recall: float | None
    """Share of the wanted that was found; None where nothing was wanted."""
    recall_sd: float | None
    f1: float | None
    """Harmonic mean of both; None where there are no boxes at all."""
    f1_sd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What judges find in photographs that have boxes."""

    num_photos: int
    held_out: bool
    """False = no photograph of a test folder has boxes; the generator has seen these."""
    judges: dict[TrainedOn, dict[str, dict[str, DetectionScores]]]
    """What the judge learned from -> class of the palette -> smallest overlap -> scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One image generated for each training label, as a set, against the training photographs."""

    num_generated: int
    num_photos: int
    kid_segmenter: float | None
    """KID on the features of the first judge that gave the adherence; compare figures of one judge only."""
    kid_segmenter_real: float | None
    """The same for photographs that the generator did not see: what can be reached."""
    kid: float | None
    """On Inception features; None = not computed, as the config names no weights."""
    fid: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Copying:
    """Distances of images to their nearest training photograph, mirrored or not, in a judge's features."""

    ratio: float | None
    """Median distance of generated images over that of photographs; near or above 1 = nothing is copied."""
    smallest_ratio: float | None
    """Of the generated image that is nearest to a training photograph, over the same median."""
    reference: Literal["held-out photographs", "training photographs"]
    """The photographs to compare with; training ones, each without itself, where none are held out."""
    closest_label: str
    """Label of the generated image with the smallest distance."""
    closest_photo: str
    """The photograph that it is nearest to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    """Mean distance between two variants of one label."""

    l1: float
    """Mean absolute difference of pixels, in [0, 1]."""
    features: float
    """Distance of a judge's features."""
    between_labels: float
    """The same between images of different labels: what differs when everything differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All numbers of one snapshot. None = it could not be computed, as what it needs is not there."""

    judged: Judged
    budget: Budget
    adherence: Adherence
    usefulness: Usefulness | None
    detection: Detection | None
    distribution: Distribution
    copying: Copying
    diversity: Diversity | None


def as_json(evaluation: Evaluation) -> str:
    """The evaluation as JSON text; a number that is not finite becomes null."""
    return json.dumps(as_plain(evaluation), indent=2, allow_nan=False) + "\n"


def as_plain(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation as plain values for JSON; a number that is not finite becomes None."""
    return _plain(asdict(evaluation))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
