"""Judges on disk: one that was trained is not trained again."""

import hashlib
import logging
from collections.abc import Sequence

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from gan.device import resolve_device
from manifests.durable import make_folders, write_durable
from pipeline.config import RunConfig, fingerprint
from pipeline.evaluation.judge import Judge
from pipeline.evaluation.judge_training import new_segmenter, train_judge
from pipeline.evaluation.labelled_images import LabelledImages
from pipeline.progress import ShowProgress, show_progress

__all__ = ["JUDGE_NUMBER", "judge_of", "real_judge"]

logger = logging.getLogger(__name__)

JUDGE_NUMBER = 3
"""Raised whenever the same images and settings give another judge."""


def judge_of(
    config: RunConfig, sets: Sequence[LabelledImages], what: str, *, show: ShowProgress = show_progress
) -> Judge:
    """The judge that learned from these images: found in `config.judges_folder`, or else trained and left
    there as judge-<fingerprint>.safetensors.

    Args:
        config: the run.
        sets: what to learn from, as `train_judge` has them.
        what: its name in the progress, such as "real".
        show: how progress is shown.
    """
    is_ignored = config.read_palette().is_ignored
    device, precision = resolve_device(config.train.device), config.train.precision
    path = config.judges_folder / f"judge-{_fingerprint(config, sets, is_ignored, device)[:16]}.safetensors"
    segmenter = new_segmenter(config.evaluate, len(is_ignored))
    if path.exists():
        try:
            segmenter.load_state_dict(load(path.read_bytes()))
            return Judge(segmenter, is_ignored, device=device, precision=precision)
        except (SafetensorError, RuntimeError) as error:
            logger.warning("%s cannot be read and is trained anew: %s", path, str(error).partition("\n")[0])
    with show(f"judge ({what})", "images") as progress:
        judge = train_judge(
            sets, is_ignored, config.evaluate, device=device, precision=precision, progress=progress
        )
    make_folders(path.parent)
    tensors = {name: tensor.cpu().contiguous() for name, tensor in judge.segmenter.state_dict().items()}
    write_durable(path, save(tensors))
    return judge


def real_judge(
    config: RunConfig, pairs: LabelledImages, *, show: ShowProgress = show_progress
) -> Judge | None:
    """The judge that learned from labelled photographs, found or trained; None where there are none."""
    return judge_of(config, [pairs], "real", show=show) if len(pairs) else None


def _fingerprint(
    config: RunConfig, sets: Sequence[LabelledImages], is_ignored: np.ndarray, device: torch.device
) -> str:
    """sha256 over all that a judge's weights depend on."""
    settings = config.evaluate.model_dump(
        include={"seed", "judge_width", "judge_images", "judge_batch_size"}, mode="json"
    )
    settings |= {
        "judge_number": JUDGE_NUMBER,
        "is_ignored": is_ignored.tolist(),
        "precision": config.train.precision,
        "device": device.type,
        "torch": torch.__version__,
        "sets": [[_content(part.images), _content(part.label_maps)] for part in sets],
    }
    return fingerprint(settings)


def _content(array: np.ndarray) -> str:
    return hashlib.sha256(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes()).hexdigest()
