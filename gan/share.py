"""Which images of a global batch are whose, where several processes train together."""

import os
from typing import NamedTuple

__all__ = ["WHOLE", "Share"]


class Share(NamedTuple):
    """The part of every global batch that one process, its rank, trains on.

    What is random for each image is drawn for the global batch and sliced by `of`, so that it does not depend
    on the number of processes.
    """

    rank: int = 0
    num_ranks: int = 1

    @classmethod
    def of_environment(cls) -> "Share":
        """What torchrun, or whoever sets its variables, tells this process; the whole when nobody does."""
        return cls(int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)))

    def of(self, num: int) -> slice:
        """The positions that are this rank's among those of `num` images, which the ranks share equally."""
        assert num % self.num_ranks == 0
        num_own = num // self.num_ranks
        return slice(self.rank * num_own, (self.rank + 1) * num_own)


WHOLE = Share()
