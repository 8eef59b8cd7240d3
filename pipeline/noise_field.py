"""Noise per pixel as a function of a label's content, a seed and a variant; the same bytes on any machine."""

import functools
import hashlib
from statistics import NormalDist

import numpy as np

__all__ = ["NUM_STEPS", "noise_field"]

NUM_STEPS = 256
"""Levels of the noise; a step is one of them."""

NODE_SCALE = 512
"""Integer steps per standard deviation of a grid node; sums stay below 2^31."""
WEIGHT_SCALE = 256
"""Integer steps per unit of a spline weight."""
TABLE_SCALE = 1024
"""Entries per standard deviation in the table of the normal distribution."""
TABLE_END = 5 * TABLE_SCALE
"""Beyond five standard deviations nothing changes."""

TILE_PX = 1 << 15
"""Pixels worked on at a time: the temporaries stay in the cache."""


def noise_field(
    label_sha256: str, seed: int, variant: int, shape: tuple[int, int], correlation_px: float = 0
) -> np.ndarray:
    """The step q of each pixel: uniform over 0..255 and a function of the arguments alone, on any machine.

    Args:
        label_sha256: content hash of the source label's file.
        seed: seed of the run.
        variant: which of several images of the label.
        shape: height and width in px.
        correlation_px: size of the noise's blotches in px; up to 1 = every pixel on its own.

    Returns:
        uint8 [H, W].
    """
    digest = hashlib.sha256(f"{label_sha256} {seed} {variant}".encode()).digest()
    bits = np.random.SFC64(int.from_bytes(digest, "big"))
    if correlation_px > 1:
        return _correlated_field(bits, shape, correlation_px)
    num_pixels = shape[0] * shape[1]
    words = bits.random_raw(-(-num_pixels // 8)).astype("<u8", copy=False)
    return words.view(np.uint8)[:num_pixels].reshape(shape)


def _correlated_field(bits: np.random.SFC64, shape: tuple[int, int], correlation_px: float) -> np.ndarray:
    """Normal noise on a grid, smoothed by cubic B-splines, mapped to a uniform marginal.

    Grid values and weights are integers, so that no order of summation changes a byte. A pixel's standard
    deviation follows from its weights.
    """
    height, width = shape
    row_weights, row_nodes = _spline(height, correlation_px)
    column_weights, column_nodes = _spline(width, correlation_px)
    grid_height, grid_width = row_nodes[-1, -1] + 1, column_nodes[-1, -1] + 1
    words = bits.random_raw(-(-grid_height * grid_width // 4)).astype("<u8", copy=False).view("<u2")
    grid = _normal_table()[words[: grid_height * grid_width]].reshape(grid_height, grid_width)
    row_scale = TABLE_SCALE / (NODE_SCALE * np.sqrt((row_weights.astype(float) ** 2).sum(axis=0)))
    column_scale = 1 / np.sqrt((column_weights.astype(float) ** 2).sum(axis=0))

    out = np.empty(shape, np.uint8)
    num_rows = max(1, TILE_PX // width)
    for top in range(0, height, num_rows):
        rows = slice(top, top + num_rows)
        weights, nodes = row_weights[:, rows, None], row_nodes[:, rows]
        smoothed = sum(w * grid[n] for w, n in zip(weights, nodes, strict=True))
        smoothed = sum(
            w * smoothed.take(n, axis=1) for w, n in zip(column_weights, column_nodes, strict=True)
        )
        entry = smoothed * row_scale[rows, None] * column_scale + (TABLE_END + 0.5)
        out[rows] = _step_of_normal().take(entry.astype(np.int32), mode="clip")
    return out


def _spline(length: int, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Cubic B-spline: int32 [4, length] weights, and int64 [4, length] the nodes they belong to."""
    position = np.arange(length) / spacing
    node = np.floor(position).astype(np.int64)
    t = position - node
    weights = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, 1 + 3 * t + 3 * t**2 - 3 * t**3, t**3]) / 6
    return np.rint(weights * WEIGHT_SCALE).astype(np.int32), node + np.arange(4)[:, None]


@functools.cache
def _normal_table() -> np.ndarray:
    """int32 [65536]: quantiles of the normal distribution, times NODE_SCALE."""
    normal = NormalDist()
    upper = [normal.inv_cdf((i + 0.5) / 65536) for i in range(32768, 65536)]
    half = np.rint(np.array(upper) * NODE_SCALE).astype(np.int32)
    return np.concatenate([-half[::-1], half])


@functools.cache
def _step_of_normal() -> np.ndarray:
    """uint8 [2 TABLE_END + 1]: 256 times the normal distribution's CDF, rounded down."""
    normal = NormalDist()
    steps = [int(NUM_STEPS * normal.cdf(i / TABLE_SCALE)) for i in range(-TABLE_END, TABLE_END + 1)]
    return np.array(steps, np.uint8)
