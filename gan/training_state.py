"""Everything that changes while a method trains: declared once, so that a checkpoint holds all of it."""

import logging
from contextlib import suppress
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from gan.conditioning import Conditioning, LabelSpec
from gan.config import RESUMABLE_CHANGES, TrainConfig
from gan.distributed import ALONE, Ranks
from gan.ema import EMA
from gan.health import DiscriminatorHealth
from gan.image_pool import ImagePool
from gan.methods.registry import build_method
from gan.metrics import RunningMeans
from gan.schedule import ema_decay_at, learning_rate_at
from gan.snapshot import BaseSnapshot

__all__ = ["CheckpointMismatch", "TrainingState"]

logger = logging.getLogger(__name__)

PHASES = ("generators", "discriminators")


class CheckpointMismatch(ValueError):
    """A checkpoint of a run with other settings; the message names them."""


class TrainingState:
    """A method's networks, their average, optimisers, image pool, measures and progress.

    Args:
        config: the run.
        labels: the classes of domain A.
        device: where it trains.
        ranks: the processes that train it together. Everything but the image pool is the same in all of them.
        base: what the generators start from instead of random weights.

    Raises:
        SnapshotError: the base holds other networks.
    """

    def __init__(
        self,
        config: TrainConfig,
        labels: LabelSpec,
        device: torch.device,
        ranks: Ranks = ALONE,
        base: BaseSnapshot | None = None,
    ):
        self.config = config
        self.labels = labels
        self.device = device
        self.ranks = ranks
        self.num_images_seen = 0
        self.conditioning = Conditioning(labels, config.conditioning).to(device)
        self.method = build_method(config, self.conditioning.domain).to(device)
        self.base_sha256 = base.sha256 if base else None
        if base is not None:
            base.load_into(self.method.generators)
        self.ema = EMA(self.method.generators)
        self.optimizers = {
            phase: torch.optim.Adam(
                self.method.weights(phase),
                lr=config.learning_rate,
                betas=config.betas,
                weight_decay=config.weight_decay,
            )
            for phase in PHASES
        }
        self.pool = ImagePool(-(-config.pool_images // ranks.num))
        self.means = RunningMeans()
        self.health = DiscriminatorHealth()

    def train_only(self, phase: str) -> None:
        """From now on only the weights of "generators" or of "discriminators" take gradients."""
        self.method.requires_grad_(False)
        for weight in self.method.weights(phase):
            weight.requires_grad_(True)

    def descend(self, phase: str, loss: Tensor) -> None:
        """One optimiser step of a phase at the learning rate of this moment."""
        optimizer = self.optimizers[phase]
        for group in optimizer.param_groups:
            group["lr"] = self.learning_rate
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.ranks.average_gradients(self.method.weights(phase))
        optimizer.step()
        self.method.constrain()

    @property
    def learning_rate(self) -> float:
        return learning_rate_at(
            self.num_images_seen,
            learning_rate=self.config.learning_rate,
            total_images=self.config.total_images,
            constant_fraction=self.config.constant_fraction,
        )

    def count(self, measures: dict[str, Tensor]) -> None:
        """Close a step: its images are seen, its measures summed, its weights averaged in."""
        config = self.config
        self.num_images_seen += config.batch_size
        self.means.add(self.ranks.averaged(measures))
        decay = ema_decay_at(
            self.num_images_seen,
            batch_size=config.batch_size,
            halflife_images=config.ema_halflife_images,
            start_images=config.ema_start_fraction * config.total_images,
        )
        self.ema.update(decay)

    @property
    def is_done(self) -> bool:
        return self.num_images_seen >= self.config.total_images

    def is_due(self, every_images: int) -> bool:
        """True once in every so many images, and at the end of the run."""
        before = self.num_images_seen - self.config.batch_size
        return self.is_done or self.num_images_seen // every_images != before // every_images

    def state_dict(self) -> dict[str, Any]:
        """All of it as tensors, numbers, strings, lists and dicts, which `torch.load(weights_only=True)`
        reads; complete on the first rank alone."""
        return {
            "settings": self._settings(),
            "num_images_seen": self.num_images_seen,
            "method": self.method.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizers": {phase: optimizer.state_dict() for phase, optimizer in self.optimizers.items()},
            "pools": self.ranks.gathered(self.pool.state_dict()),
            "means": self.means.state_dict(),
            "health": self.health.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned; its tensors are on this state's device.

        Raises:
            CheckpointMismatch: it belongs to a run whose settings lead elsewhere.
        """
        self._check_settings(state["settings"])
        self.num_images_seen = state["num_images_seen"]
        self.method.load_state_dict(state["method"])
        self.ema.load_state_dict(state["ema"])
        for phase, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][phase])
        # A checkpoint that is older than training in several processes has one pool.
        self._load_pool(state["pools"] if "pools" in state else [state["pool"]])
        self.means.load_state_dict(state["means"])
        self.health.load_state_dict(state["health"])

    def _load_pool(self, pools: list[dict[str, Any]]) -> None:
        if len(pools) == self.ranks.num:
            self.pool.load_state_dict(pools[self.ranks.share.rank])
        else:
            logger.warning(
                "The checkpoint was written by %d processes, and now there are %d: their image pools start "
                "empty.",
                len(pools),
                self.ranks.num,
            )

    def _settings(self) -> dict[str, Any]:
        return {
            "train": self.config.model_dump(mode="json"),
            "noise": self.labels.noise.model_dump(mode="json"),
            "palette": self.labels.palette,
            "base": {"sha256": self.base_sha256},
        }

    def _check_settings(self, old: dict[str, dict[str, Any]]) -> None:
        # A checkpoint that is older than a setting was written under its default.
        with suppress(ValidationError):
            train = TrainConfig.model_validate(old["train"]).model_dump(mode="json")
            old = {"base": {"sha256": None}} | old | {"train": train}
        changed = [
            f"{section}.{key} was {old[section].get(key)!r} and is now {value!r}"
            for section, values in self._settings().items()
            for key, value in values.items()
            if key not in RESUMABLE_CHANGES and value != old[section].get(key)
        ]
        if changed:
            raise CheckpointMismatch(
                f"The run directory holds a run with other settings: {', '.join(changed)}. "
                "Set them back, or choose another run_dir."
            )
