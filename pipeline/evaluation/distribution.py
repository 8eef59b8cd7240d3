"""Distances between two sets of images, by their features.

Shapes: N and M images, D features.
"""

import numpy as np

__all__ = ["frechet_distance", "kernel_distance"]


def kernel_distance(one: np.ndarray, other: np.ndarray) -> float | None:
    """KID (arXiv 1801.01401, section 4): the unbiased squared maximum mean discrepancy with the kernel
    (x y / D + 1)^3, over all images at once. About 0 for sets alike, and then below 0 as often as above.

    Args:
        one: float [N, D].
        other: float [M, D].

    Returns:
        None where a set has fewer than two images.
    """
    if min(len(one), len(other)) < 2:
        return None
    within = [_mean_off_diagonal(_kernel(features, features)) for features in (one, other)]
    return float(sum(within) - 2 * _kernel(one, other).mean())


def frechet_distance(one: np.ndarray, other: np.ndarray) -> float | None:
    """FID (arXiv 1706.08500, equation 6): |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2). With fewer images than
    features it is far too high, so compare only figures of equal numbers.

    The arguments and None are as in `kernel_distance`.
    """
    if min(len(one), len(other)) < 2:
        return None
    means = [features.mean(0) for features in (one, other)]
    first, second = (np.cov(features, rowvar=False).reshape(one.shape[1], -1) for features in (one, other))
    # (C1 C2)^1/2 has the trace of (C1^1/2 C2 C1^1/2)^1/2, whose inside is symmetric.
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    shared = np.sqrt(np.clip(np.linalg.eigvalsh(root @ second @ root), 0, None)).sum()
    gap = np.square(means[0] - means[1]).sum()
    return float(gap + np.trace(first) + np.trace(second) - 2 * shared)


def _kernel(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one @ other.T / one.shape[1] + 1) ** 3


def _mean_off_diagonal(kernel: np.ndarray) -> float:
    num = len(kernel)
    return (kernel.sum() - np.trace(kernel)) / (num * (num - 1))
