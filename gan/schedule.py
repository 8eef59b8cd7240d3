"""Everything that changes during a run as pure functions of the images seen, so that resuming changes
nothing."""

import hashlib

__all__ = ["derived_seed", "ema_decay_at", "learning_rate_at"]

EMA_RAMP_FRACTION = (
    0.05  # early on, the half-life is this share of the images seen, so that the initial weights fade
)


def learning_rate_at(
    num_images_seen: int, *, learning_rate: float, total_images: int, constant_fraction: float
) -> float:
    """Constant, then linear to 0 at `total_images` (arXiv 1703.10593, section 4)."""
    decay_start = total_images * constant_fraction
    if num_images_seen <= decay_start:
        return learning_rate
    return learning_rate * max(0.0, (total_images - num_images_seen) / (total_images - decay_start))


def ema_decay_at(
    num_images_seen: int, *, batch_size: int, halflife_images: int, start_images: float = 0
) -> float:
    """Factor for the old average in one step; the half-life is in images and ramps up from 0 at the start
    (arXiv 2006.06676, appendix)."""
    halflife = min(halflife_images, (num_images_seen - start_images) * EMA_RAMP_FRACTION)
    return 0.5 ** (batch_size / halflife) if halflife > 0 else 0.0


def derived_seed(seed: int, purpose: str, *position: int) -> int:
    """A 63-bit seed of its own for every (run seed, purpose, position), such as (0, "noise", images seen)."""
    digest = hashlib.sha256(repr((seed, purpose, *position)).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
