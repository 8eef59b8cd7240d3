"""Noise per pixel as a function of a label's content, a seed and a variant; the same bytes on any machine."""

import functools
import hashlib
from statistics import NormalDist

import numpy as np

from gan.spline import spline

__all__ = ["NUM_STEPS", "noise_field"]

NUM_STEPS = 256
"""Levels of the noise; a step is one of them."""

NODE_SCALE = 512
"""Integer steps per standard deviation of a grid node; sums stay below 2^31."""
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
    """Normal noise on a grid, smoothed by cubic B-splines, mapped to a uniform marginal; of the distribution
    that `gan.conditioning.draw_noise_field` draws from. Grid values are integers, as the weights are."""
    rows, columns = (spline(length, correlation_px) for length in shape)
    num_nodes = rows.num_nodes * columns.num_nodes
    words = bits.random_raw(-(-num_nodes // 4)).astype("<u8", copy=False).view("<u2")
    grid = _normal_table()[words[:num_nodes]].reshape(rows.num_nodes, columns.num_nodes)
    row_scale, column_scale = TABLE_SCALE / (NODE_SCALE * rows.deviation), 1 / columns.deviation

    out = np.empty(shape, np.uint8)
    num_rows = max(1, TILE_PX // shape[1])
    for top in range(0, shape[0], num_rows):
        part = slice(top, top + num_rows)
        weights, nodes = rows.weights[:, part, None], rows.nodes[:, part]
        smoothed = sum(w * grid[n] for w, n in zip(weights, nodes, strict=True))
        smoothed = sum(
            w * smoothed.take(n, axis=1) for w, n in zip(columns.weights, columns.nodes, strict=True)
        )
        entry = smoothed * row_scale[part, None] * column_scale + (TABLE_END + 0.5)
        out[part] = _step_of_normal().take(entry.astype(np.int32), mode="clip")
    return out


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
