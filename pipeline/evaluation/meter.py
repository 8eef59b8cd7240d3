"""Adherence during training: whose images follow their labels best, of all the weights that a run goes
through."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import torch

from gan.snapshot import Snapshot
from gan.translator import Translator
from pipeline.config import ConfigError, RunConfig, fingerprint
from pipeline.evaluation.adherence import adherence_of
from pipeline.evaluation.config import EvaluateConfig
from pipeline.evaluation.drawing import draw_variants
from pipeline.evaluation.judge import Judge
from pipeline.evaluation.judge_files import JUDGE_NUMBER, real_judge
from pipeline.evaluation.judge_training import train_judge
from pipeline.evaluation.material import Material, judged_size, read_material
from pipeline.evaluation.measured import MeasuredWeights
from pipeline.evaluation.parts import Parts, part_for_training
from pipeline.evaluation.scores import Scores
from pipeline.prepare import Prepared
from pipeline.progress import ShowProgress, show_progress

__all__ = ["AdherenceMeter", "meter_of"]

logger = logging.getLogger(__name__)


def meter_of(config: RunConfig, prepared: Prepared) -> "AdherenceMeter | None":
    """What measures the snapshots of a run; None where nothing is to be measured, or nothing can be."""
    if not config.evaluate.during_training:
        return None
    try:
        return AdherenceMeter(config, prepared)
    except ConfigError as error:
        logger.warning("Adherence is not measured during training, and the last snapshot is used: %s", error)
        return None


class AdherenceMeter:
    """Measures the adherence of one run's snapshots, all by the same labels and the same kind of judge.

    The labels are spread over those that generators and judges learn from. None of them is held out by
    `evaluate`, whose figures stay those of labels that had no say in which snapshot is used.

    Where there are labelled photographs, the judge learned from them: it is that of `evaluate`, and trained
    once for both. Where there are none, each set of weights has a judge of its own, which learns from images
    that they draw of other labels than those by which they are measured.

    Args:
        config: the run.
        prepared: its sources.

    Raises:
        ConfigError: there are too few labels.
    """

    def __init__(self, config: RunConfig, prepared: Prepared):
        self._config = config
        self._parts = part_for_training(prepared, config)
        self._prepared = prepared
        self._measure = _fingerprint(config, prepared, self._parts)
        self._material: Material | None = None
        self._judge: Judge | None = None

    def prepare(self, show: ShowProgress = show_progress) -> None:
        """Read the images and find or train the judge of photographs; `measure` wants it done.

        Raises:
            BadImageError: a source cannot be read any more.
        """
        material = read_material(self._config, self._parts, self._prepared)
        self._judge = real_judge(self._config, material.train_pairs, show=show)
        self._material = replace(material, train_pairs=material.test_pairs)  # none: they are of no more use
        logger.info(
            "Adherence is measured at each snapshot, on %d labels, by a judge of %s.",
            len(material.test_labels),
            f"{len(material.train_pairs)} labelled photographs"
            if self._judge
            else f"images of {len(material.train_labels)} other labels",
        )

    def measure(self, candidates: Sequence[Snapshot]) -> MeasuredWeights:
        """Draw an image for each label by each candidate, and let the judge read them.

        On one machine the same candidates give the same figures. The process's own random state stays as it
        is, and so do the networks that train: a snapshot is a copy of them.
        """
        with torch.random.fork_rng(devices=[]):  # new networks draw weights, before they are given theirs
            return MeasuredWeights(
                measure=self._measure,
                judge="generated" if self._judge is None else "real",
                scores={candidate.info.holds: self._scores_of(candidate) for candidate in candidates},
            )

    def _scores_of(self, candidate: Snapshot) -> Scores:
        config, material = self._config, self._material
        translator = Translator(candidate, device=config.train.device, precision=config.train.precision)
        return adherence_of(
            translator,
            self._judge or self._judge_of(translator),
            material.test_labels,
            config.read_palette(),
            seed=config.evaluate.seed,
            correlation_px=config.noise.correlation_px,
            photos=material.train_photos,
            renders=material.test_renders,
        )

    def _judge_of(self, translator: Translator) -> Judge:
        config, material = self._config, self._material
        drawn = draw_variants(
            translator,
            material.train_labels,
            1,
            seed=config.evaluate.seed,
            correlation_px=config.noise.correlation_px,
            photos=material.train_photos,
            renders=material.train_renders,
        )
        return train_judge(
            [drawn],
            config.read_palette().is_ignored,
            _smaller_budget(config.evaluate),
            device=translator.device,
            precision=config.train.precision,
        )


def _smaller_budget(config: EvaluateConfig) -> EvaluateConfig:
    """That of a judge which is of use for one snapshot only."""
    return config.model_copy(update={"judge_images": config.training_judge_images})


def _fingerprint(config: RunConfig, prepared: Prepared, parts: Parts) -> str:
    """sha256 over all that figures depend on, beside the weights."""
    hashes = {photo.path: photo.sha256 for photo in prepared.photos}
    budget = config.evaluate if parts.train_pairs else _smaller_budget(config.evaluate)
    settings = budget.model_dump(
        include={"seed", "judge_width", "judge_images", "judge_batch_size"}, mode="json"
    )
    settings |= {
        "judge_number": JUDGE_NUMBER,
        "size": judged_size(config),
        "train_labels": [(label.source_sha256, label.render_sha256) for label in parts.train_labels],
        "test_labels": [(label.source_sha256, label.render_sha256) for label in parts.test_labels],
        "train_pairs": [(pair.label.source_sha256, pair.photo.sha256) for pair in parts.train_pairs],
        "train_photos": [hashes[path] for path in parts.train_photos],
    }
    return fingerprint(settings)
