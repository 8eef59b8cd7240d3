"""Training as one of the processes that torchrun started, on one machine or on several."""

import logging
from pathlib import Path

from gan.distributed import join_ranks
from pipeline.config import RunConfig
from pipeline.evaluation.meter import meter_of
from pipeline.retraining import training_to_use
from pipeline.run import gather_stage, prepare_stage, with_gathered
from pipeline.snapshot_files import best_snapshot, finished_snapshot
from pipeline.training import require_equal_shares, train_run

__all__ = ["train_as_rank"]

logger = logging.getLogger(__name__)


def train_as_rank(config: RunConfig) -> Path:
    """Draw scenes, check sources, train; return the best snapshot's path.

    The first rank draws, checks, writes and speaks; the others wait for it. All see the same files.

    Raises:
        ConfigError: a batch cannot be shared equally, or as `train_run`.
        TooManyBadInputs: as `prepare_stage`.
        Interrupted: as `train_run`; so for the other errors of training.
    """
    with join_ranks(config.train.device) as ranks:
        if not ranks.is_first:
            logging.disable(logging.WARNING)  # it would say what the first one says
        require_equal_shares(config, ranks.num)
        prepared = ranks.from_first(lambda: prepare_stage(gather_stage(config)))
        config = with_gathered(config)
        config = ranks.from_first(lambda: training_to_use(config, prepared))
        snapshot = ranks.from_first(lambda: finished_snapshot(config))
        if snapshot is None:
            snapshot = train_run(
                config, *prepared.train_images, meter=meter_of(config, prepared), ranks=ranks
            )
        logger.info("%s", best_snapshot(config).why)
        return snapshot
