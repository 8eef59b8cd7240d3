"""The training loop: plain torch; reading its comments alone tells the story."""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from gan.conditioning import LabelSpec, as_level, draw_noise_field
from gan.config import TrainConfig
from gan.data import HostBatch, from_uint8
from gan.device import autocast, resolve_device
from gan.distributed import ALONE, Ranks
from gan.health import TrainingDiverged
from gan.histogram import match_domains
from gan.methods.method import Batch
from gan.preview import draw_preview
from gan.schedule import derived_seed
from gan.snapshot import BaseSnapshot, Snapshot
from gan.training_state import TrainingState

__all__ = ["RunOutputs", "TrainingDiverged", "train"]

logger = logging.getLogger(__name__)


class RunOutputs(Protocol):
    """Where a run leaves what it makes, and finds what it left."""

    def newest_checkpoint(self, device: torch.device) -> dict[str, Any] | None: ...
    def start(self, num_images_seen: int) -> None: ...
    def save_checkpoint(self, num_images_seen: int, state: dict[str, Any]) -> None: ...
    def save_snapshot(self, num_images_seen: int, candidates: Sequence[Snapshot]) -> None: ...
    def save_preview(self, num_images_seen: int, grid: np.ndarray) -> None: ...
    def report(self, num_images_seen: int, metrics: dict[str, float]) -> None: ...


def train(
    config: TrainConfig,
    labels: LabelSpec,
    *,
    batches: Callable[[int], Iterator[HostBatch]],
    preview: HostBatch,
    outputs: RunOutputs,
    should_stop: Callable[[], bool] = lambda: False,
    ranks: Ranks = ALONE,
    base: BaseSnapshot | None = None,
) -> bool:
    """Train a method from its newest checkpoint, or from the start, to `config.total_images`.

    Everything random derives from `config.seed` and the images seen: an interrupted and resumed run equals an
    uninterrupted one, bit for bit on a CPU. Several processes call this together, and go through it in step.

    Args:
        config: the run.
        labels: the classes of domain A.
        batches: images seen so far -> the batches from there on, without end; of each this rank's share.
        preview: images of the fixed preview grid.
        outputs: the run's files; ranks other than the first hand over the same as it does.
        should_stop: asked after every step; when it says so on any rank, a checkpoint is written and the loop
            ends.
        ranks: the processes that train together.
        base: what to start from instead of random weights.

    Returns:
        True when the run is complete, False when it was asked to stop.

    Raises:
        TrainingDiverged: a loss or weight is not finite.
        CheckpointMismatch: the newest checkpoint belongs to other settings.
        RanksDisagree: the ranks found different checkpoints.
        SnapshotError: the base holds other networks.
    """
    # Initialize.
    device = resolve_device(config.device, ranks.local_index)
    state = TrainingState(config, labels, device, ranks, base)
    method = state.method

    # Resume.
    checkpoint = outputs.newest_checkpoint(device)
    if checkpoint is not None:
        state.load_state_dict(checkpoint)
        logger.info("Resumed at %d of %d images.", state.num_images_seen, config.total_images)
    ranks.require_equal(state.num_images_seen, "images seen")
    outputs.start(state.num_images_seen)
    if checkpoint is None:
        outputs.save_preview(0, draw_preview(state, preview))
    if state.is_done:  # the run was made shorter than what it had seen
        outputs.save_snapshot(state.num_images_seen, _candidates(state))

    stream = batches(state.num_images_seen)
    while not state.is_done:
        # Fetch and condition images.
        batch = _to_device(next(stream), state)

        # Train the generators.
        state.train_only("generators")
        with autocast(device, config.precision):
            wanted = method.generator_phase(batch)
        state.descend("generators", wanted.total)

        # Train the discriminators on what the pool answers.
        newest = wanted.fakes if config.shared_forward else _drawn_anew(state, batch)
        fakes = state.pool.query(newest, _own_random(state, "pool"))
        state.train_only("discriminators")
        with autocast(device, config.precision):
            judged = method.discriminator_phase(batch, fakes)
        state.descend("discriminators", judged.total)

        # Count the images, average the weights.
        state.count(wanted.terms | judged.terms)
        stopping = ranks.highest(should_stop()) and not state.is_done
        num_images_seen = state.num_images_seen

        # Report.
        if state.is_due(config.report_every_images):
            metrics = _finite(state.means.pop(), num_images_seen)
            for warning in state.health.update(metrics):
                logger.warning("At %d images: %s", num_images_seen, warning)
            outputs.report(num_images_seen, metrics | {"learning_rate": state.learning_rate})

        # Save preview and snapshot.
        if state.is_due(config.preview_every_images):
            outputs.save_preview(num_images_seen, draw_preview(state, preview))
        if state.is_due(config.snapshot_every_images):
            outputs.save_snapshot(num_images_seen, _candidates(state))

        # Save state checkpoint.
        if stopping or state.is_due(config.checkpoint_every_images):
            _require_finite_weights(state.method, num_images_seen)
            outputs.save_checkpoint(num_images_seen, state.state_dict())
        if stopping:
            return False
    return True


@torch.no_grad()
def _drawn_anew(state: TrainingState, batch: Batch) -> dict[str, Tensor]:
    with autocast(state.device, state.config.precision):
        return state.method.generator_phase(batch).fakes


def _to_device(host: HostBatch, state: TrainingState) -> Batch:
    label_map, photo, render = (
        None if image is None else torch.from_numpy(image).to(state.device, non_blocking=True)
        for image in host
    )
    image_b = from_uint8(photo)
    if render is not None:
        seed = derived_seed(state.config.seed, "histogram", state.num_images_seen)
        render, image_b = match_domains(from_uint8(render), image_b, state.config.histogram, seed=seed)
    random, share = _random(state, "noise"), state.ranks.share

    def draw_noise() -> Tensor:
        num, height, width = label_map.shape
        num *= share.num_ranks
        correlation_px = state.labels.noise.correlation_px
        noise = draw_noise_field(num, height, width, correlation_px=correlation_px, generator=random)
        return noise[share.of(num)]

    image_a, clean_a, attention_a = state.conditioning(label_map, draw_noise(), render)
    noise_level = as_level(draw_noise())
    return Batch(
        image_a,
        clean_a,
        attention_a,
        label_map,
        image_b,
        noise_level,
        state.num_images_seen,
        share,
    )


def _random(state: TrainingState, purpose: str, first_image: int = 0) -> torch.Generator:
    """The same for all ranks, unless they name the first image of their share."""
    seed = derived_seed(state.config.seed, purpose, state.num_images_seen + first_image)
    return torch.Generator(state.device).manual_seed(seed)


def _own_random(state: TrainingState, purpose: str) -> torch.Generator:
    return _random(state, purpose, state.ranks.share.of(state.config.batch_size).start)


def _candidates(state: TrainingState) -> list[Snapshot]:
    """What a snapshot of this moment can hold: the averaged weights and the raw ones; where nothing is
    averaged, these alone."""
    networks = {"ema": state.ema.network, "raw": state.method.generators}
    if not state.config.ema_halflife_images:
        del networks["ema"]
    return [_snapshot(state, holds, network) for holds, network in networks.items()]


def _snapshot(state: TrainingState, holds: Literal["ema", "raw"], network: nn.Module) -> Snapshot:
    _require_finite_weights(network, state.num_images_seen)
    return Snapshot.of(
        network,
        state.labels,
        state.config,
        state.num_images_seen,
        base_sha256=state.base_sha256,
        holds=holds,
    )


def _require_finite_weights(networks: nn.Module, num_images_seen: int) -> None:
    is_finite = torch.stack([parameter.isfinite().all() for parameter in networks.parameters()]).all()
    _finite({"a weight": 0.0 if is_finite else math.nan}, num_images_seen)


def _finite(metrics: dict[str, float], num_images_seen: int) -> dict[str, float]:
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise TrainingDiverged(
                f"{name} became {value} before {num_images_seen} images; nothing of it was saved. "
                "Lower train.learning_rate, or set train.precision to fp32."
            )
    return metrics
