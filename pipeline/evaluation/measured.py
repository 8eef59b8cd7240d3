"""What was measured of a run's weights as a snapshot was taken; kept in the snapshot's description."""

from typing import Literal

from gan.config import StrictModel
from pipeline.evaluation.scores import Scores

__all__ = ["EQUAL_MIOU", "MeasuredWeights"]

EQUAL_MIOU = 0.01
"""Figures that lie no further apart count as equal: so far apart are those of judges with other seeds. Of
equal weights the later are better training data, as they have learned longer what photographs look like."""


class MeasuredWeights(StrictModel):
    """How well images drawn by the weights of one moment follow their labels (adherence)."""

    measure: str
    """Fingerprint of judge, labels and settings: figures of one measure can be compared, others cannot."""
    judge: Literal["real", "generated"]
    """What the judge learned from: labelled photographs, or images that the weights draw of other labels."""
    scores: dict[Literal["ema", "raw"], Scores]
    """Of the averaged weights and of the raw ones; without "ema" where nothing is averaged."""

    @property
    def best(self) -> Literal["ema", "raw"]:
        """The averaged weights, unless the raw ones are clearly better or nothing is averaged."""
        if "ema" in self.scores and self.scores["ema"].miou >= self.scores["raw"].miou - EQUAL_MIOU:
            return "ema"
        return "raw"

    @property
    def best_miou(self) -> float:
        """mIoU of `best`."""
        return self.scores[self.best].miou
