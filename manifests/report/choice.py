"""Which rows of a large dataset a page shows."""

import numpy as np

__all__ = ["choose_rows"]


def choose_rows(is_accepted: np.ndarray, max_samples: int) -> np.ndarray:
    """Positions of rows to show: rejected ones first, then accepted ones, each evenly spread.

    All rejected rows are shown, unless that left less than half of the places to accepted ones.

    Args:
        is_accepted: bool [N], one for each row.
        max_samples: rows at most, 1 or more.

    Returns:
        int [min(N, max_samples)].
    """
    rejected, accepted = np.flatnonzero(~is_accepted), np.flatnonzero(is_accepted)
    num = min(len(is_accepted), max_samples)
    num_accepted = min(len(accepted), max(num - len(rejected), num // 2))
    return np.concatenate([_spread(rejected, num - num_accepted), _spread(accepted, num_accepted)])


def _spread(positions: np.ndarray, num: int) -> np.ndarray:
    return positions[np.arange(num) * len(positions) // max(num, 1)]
