"""Cubic B-splines, which make blotches of independent noise: one definition for the noise that networks train
on, drawn on a device, and for that of files. Imports no torch."""

from typing import NamedTuple

import numpy as np

__all__ = ["Spline", "spline"]

WEIGHT_SCALE = 256


class Spline(NamedTuple):
    """How each of `length` pixels in a row sums up its four nodes."""

    nodes: np.ndarray
    """int64 [4, length], from node 0 to the last."""
    weights: np.ndarray
    """int32 [4, length], in steps of 1 / 256: integers, so that no order of summation changes a byte."""
    deviation: np.ndarray
    """float64 [length], standard deviation of the weighted sum of independent unit normals."""

    @property
    def num_nodes(self) -> int:
        """Nodes that a row of pixels needs."""
        return int(self.nodes[-1, -1]) + 1


def spline(length: int, spacing: float) -> Spline:
    """Uniform cubic B-spline over a row of pixels, with a node every `spacing` px from the first pixel on."""
    position = np.arange(length) / spacing
    node = np.floor(position).astype(np.int64)
    t = position - node
    weights = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, 1 + 3 * t + 3 * t**2 - 3 * t**3, t**3]) / 6
    weights = np.rint(weights * WEIGHT_SCALE).astype(np.int32)
    return Spline(node + np.arange(4)[:, None], weights, np.sqrt((weights.astype(float) ** 2).sum(axis=0)))
