"""Judges on disk: one that was trained is not trained again."""

import hashlib
import logging
from collections.abc import Sequence

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from gan.device import resolve_device
from gan.schedule import derived_seed
from manifests.durable import make_folders, write_durable
from pipeline.config import RunConfig, fingerprint
from pipeline.evaluation.config import EvaluateConfig
from pipeline.evaluation.judge import Judge
from pipeline.evaluation.judge_training import new_segmenter, train_judge
from pipeline.evaluation.labelled_images import LabelledImages
from pipeline.progress import ShowProgress, show_progress

__all__ = ["JUDGE_NUMBER", "judge_of", "real_judge"]

logger = logging.getLogger(__name__)

JUDGE_NUMBER = 3
"""Raised whenever the same images and settings give another judge."""


def judge_of(
    config: RunConfig,
    sets: Sequence[LabelledImages],
    what: str,
    *,
    index: int = 0,
    show: ShowProgress = show_progress,
) -> Judge:
    """The judge that learned from these images: found in `config.judges_folder`, or else trained and left
    there as judge-<fingerprint>.safetensors.

    Args:
        config: the run.
        sets: what to learn from, as `train_judge` has them.
        what: its name in the progress, such as "real".
        index: which of several judges of these images; each has a seed of its own, and judge 0 the config's.
        show: how progress is shown.
    """
    is_ignored = config.read_palette().is_ignored
    device, precision = resolve_device(config.train.device), config.train.precision
    budget = _with_own_seed(config.evaluate, index)
    key = _fingerprint(budget, sets, is_ignored, device, precision)
    path = config.judges_folder / f"judge-{key[:16]}.safetensors"
    segmenter = new_segmenter(budget, len(is_ignored))
    if path.exists():
        try:
            segmenter.load_state_dict(load(path.read_bytes()))
            return Judge(segmenter, is_ignored, device=device, precision=precision)
        except (SafetensorError, RuntimeError) as error:
            logger.warning("%s cannot be read and is trained anew: %s", path, str(error).partition("\n")[0])
    number = f" {index + 1}" if index else ""
    with show(f"judge ({what}{number})", "images") as progress:
        judge = train_judge(sets, is_ignored, budget, device=device, precision=precision, progress=progress)
    make_folders(path.parent)
    tensors = {name: tensor.cpu().contiguous() for name, tensor in judge.segmenter.state_dict().items()}
    write_durable(path, save(tensors))
    return judge


def real_judge(
    config: RunConfig, pairs: LabelledImages, *, show: ShowProgress = show_progress
) -> Judge | None:
    """The first judge that learned from labelled photographs, found or trained; None where there are none."""
    return judge_of(config, [pairs], "real", show=show) if len(pairs) else None


def _with_own_seed(budget: EvaluateConfig, index: int) -> EvaluateConfig:
    return budget.model_copy(update={"seed": derived_seed(budget.seed, "judge", index)}) if index else budget


def _fingerprint(
    budget: EvaluateConfig,
    sets: Sequence[LabelledImages],
    is_ignored: np.ndarray,
    device: torch.device,
    precision: str,
) -> str:
    """sha256 over all that a judge's weights depend on."""
    settings = budget.model_dump(
        include={"seed", "judge_width", "judge_images", "judge_batch_size"}, mode="json"
    )
    settings |= {
        "judge_number": JUDGE_NUMBER,
        "is_ignored": is_ignored.tolist(),
        "precision": precision,
        "device": device.type,
        "torch": torch.__version__,
        "sets": [[_content(part.images), _content(part.label_maps)] for part in sets],
    }
    return fingerprint(settings)


def _content(array: np.ndarray) -> str:
    return hashlib.sha256(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes()).hexdigest()
