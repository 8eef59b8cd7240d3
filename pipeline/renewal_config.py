"""Settings of runs that come back by themselves: when, where, and when they train anew."""

from typing import Literal

from pydantic import Field, model_validator

from gan.config import StrictModel

__all__ = ["FlowConfig", "RetrainConfig"]


class FlowConfig(StrictModel):
    """How the Prefect flow of a run comes back, and what it computes on."""

    every_minutes: float = Field(15, gt=0, le=525_600)
    """A deployed run looks so often for segmentation sets that landed, and does what is left to do."""
    cron: str = ""
    """Instead: times such as "0 2 * * *"."""
    num_processes: int = Field(1, ge=1, le=64)
    """That train together, one for each GPU."""
    runner: Literal["threads", "ray", "dask"] = "threads"
    """What the shards of a generation are mapped on: this process, or a cluster's workers, which must see the
    same files under the same names."""
    runner_address: str = ""
    """Of a cluster that runs already, such as ray://head:10001 or tcp://scheduler:8786; empty = a local one
    is started for the run."""
    gpus_per_shard: float = Field(0, ge=0, le=8)
    """What a shard asks of the cluster: with 1, each draws on a GPU of its own. Dask knows it as the resource
    GPU of its workers."""

    @model_validator(mode="after")
    def _runner(self) -> "FlowConfig":
        if self.runner == "threads" and (self.runner_address or self.gpus_per_shard):
            raise ValueError("runner 'threads' has no runner_address and no gpus_per_shard; leave them out")
        return self


class RetrainConfig(StrictModel):
    """When a finished training is begun anew, from nothing; never, if nothing is set. Until the new one has
    finished, nothing new is published."""

    on_new_photos: bool = False
    """Photographs came, changed or left since the last training began."""
    on_new_classes: bool = False
    """A label shows a class that no label of the last training had."""
    every_days: float | None = Field(None, gt=0)
    """The last training began so long ago."""
