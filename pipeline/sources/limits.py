"""How much of what was found may be bad."""

from collections.abc import Sequence

from pipeline.images import BadImageError

__all__ = ["too_many_bad"]


def too_many_bad(
    kind: str, num_found: int, bad: Sequence[BadImageError], max_bad_fraction: float
) -> str | None:
    """Why nothing can be made of what is left of one kind of source, or None. A clause, as Finding.what."""
    if num_found == 0:
        return f"there are no {kind} in the folders that sources name"
    if len(bad) == num_found or len(bad) > max_bad_fraction * num_found:
        return (
            f"{len(bad)} of {num_found} {kind} cannot be used, over sources.max_bad_fraction "
            f"{max_bad_fraction:g}; the first is {bad[0].path}: {bad[0].reason}"
        )
    return None
