"""Trains a judge on labelled images."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F

from gan.data import from_uint8
from gan.device import autocast
from gan.schedule import derived_seed
from gan.segmenter import Segmenter
from pipeline.evaluation.augmentation import jitter_colors, random_views
from pipeline.evaluation.config import EvaluateConfig
from pipeline.evaluation.judge import Judge
from pipeline.evaluation.labelled_images import LabelledImages

__all__ = ["new_segmenter", "train_judge"]

LEARNING_RATE = 4e-3
WARMUP_FRACTION = 0.05
WEIGHT_DECAY = 1e-2
MAX_CLASS_WEIGHT = 10.0
NOT_COUNTED = 255


def new_segmenter(config: EvaluateConfig, num_classes: int) -> Segmenter:
    """An untrained segmenter for RGB images; the process's own random state stays as it is."""
    with torch.random.fork_rng(devices=[]):
        return Segmenter(3, num_classes, width=config.judge_width)


def train_judge(
    sets: Sequence[LabelledImages],
    is_ignored: np.ndarray,
    config: EvaluateConfig,
    *,
    device: torch.device,
    precision: str,
    progress: Callable[..., None] | None = None,
) -> Judge:
    """Train a segmenter on sets of labelled images; the same arguments give the same judge.

    It sees `config.judge_images` images whatever the sets' sizes, in turn from each set, each set in an order
    of its own that is new in every epoch. Views and colours vary. The loss is cross-entropy, in which rare
    classes weigh more, so that they are learned early; the trained judge's logits have these weights taken
    out again (arXiv 2007.07314, section 4), or it would see rare classes too often.

    Args:
        sets: what to learn from, all of one size.
        is_ignored: bool [K], classes whose pixels do not count.
        config: width, images, batch size, seed.
        device: where to train.
        precision: as `gan.device.autocast` has it.
        progress: called with (images seen, images in all).
    """
    segmenter = new_segmenter(config, len(is_ignored))
    segmenter.draw_weights(torch.Generator().manual_seed(derived_seed(config.seed, "judge_weights")))
    segmenter.to(device)
    optimizer = torch.optim.AdamW(segmenter.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    weight = torch.from_numpy(class_weights([part.label_maps for part in sets], is_ignored)).to(device)
    counted = torch.from_numpy(np.where(is_ignored, NOT_COUNTED, np.arange(len(is_ignored)))).to(device)
    total, step = config.judge_images, config.judge_batch_size

    for seen in range(0, total, step):
        # Draw the batch.
        numbers = range(seen, min(seen + step, total))
        images, label_maps = _batch(sets, numbers, config.seed)
        generator = torch.Generator().manual_seed(derived_seed(config.seed, "judge_views", seen))
        image, label_map = random_views(
            from_uint8(torch.from_numpy(images).to(device)),
            torch.from_numpy(label_maps).to(device),
            generator,
        )
        image = jitter_colors(image, generator)

        # Learn from it.
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * _rate_at(seen / total)
        with autocast(device, precision):
            logits = segmenter(image)
        loss = F.cross_entropy(logits, counted[label_map], weight=weight, ignore_index=NOT_COUNTED)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if progress is not None:
            progress(numbers.stop, total)

    # What weighed more in training is answered as often as it occurs.
    with torch.no_grad():
        segmenter.head.bias -= weight.where(weight > 0, 1).log()
    return Judge(segmenter, is_ignored, device=device, precision=precision)


def class_weights(label_maps: Sequence[np.ndarray], is_ignored: np.ndarray) -> np.ndarray:
    """float32 [K]: inverse root of each class's share of pixels, at most MAX_CLASS_WEIGHT times the smallest;
    sets count alike, and ignored classes as 0."""
    num_classes = len(is_ignored)
    shares = np.zeros(num_classes)
    for part in label_maps:
        counts = np.bincount(part.ravel(), minlength=num_classes) * ~is_ignored
        shares += counts / max(1, counts.sum()) / len(label_maps)
    weights = np.where(is_ignored, 0, 1 / np.sqrt(np.maximum(shares, 1e-9)))
    smallest = weights[~is_ignored].min()
    return np.minimum(weights / smallest, MAX_CLASS_WEIGHT).astype(np.float32)


def _rate_at(progress: float) -> float:
    """Linear warm-up, then half a cosine to 0."""
    if progress < WARMUP_FRACTION:
        return (progress + 0.01) / (WARMUP_FRACTION + 0.01)
    return 0.5 * (1 + math.cos(math.pi * (progress - WARMUP_FRACTION) / (1 - WARMUP_FRACTION)))


def _batch(sets: Sequence[LabelledImages], numbers: range, seed: int) -> tuple[np.ndarray, np.ndarray]:
    chosen = []
    for number in numbers:
        position, index = divmod(number, len(sets))
        epoch, place = divmod(position, len(sets[index]))
        row = _order(seed, index, epoch, len(sets[index]))[place]
        chosen.append((sets[index].images[row], sets[index].label_maps[row]))
    images, label_maps = zip(*chosen, strict=True)
    return np.stack(images), np.stack(label_maps)


@lru_cache(maxsize=8)
def _order(seed: int, set_index: int, epoch: int, num: int) -> np.ndarray:
    return np.random.default_rng(derived_seed(seed, "judge_order", set_index, epoch)).permutation(num)
