"""Which split a sample belongs to: a stable hash of its source label."""

import hashlib

from manifests.schema import SPLITS

__all__ = ["split_of"]

_TRAIN, _VAL, _TEST = SPLITS


def split_of(source_sha256: str, source_part: str, *, val_fraction: float, test_fraction: float) -> str:
    """The split of every image that was drawn for one source label: "train", "val" or "test".

    It depends on the label's content only, so all variants of a label stay together, and nothing moves when
    more labels arrive. A larger fraction takes from "train" only. A label of a test folder is always "test".

    Args:
        source_sha256: sha256 of the source label's file.
        source_part: the folder it came from: "train", "test" or "unsplit".
        val_fraction: share of labels for validation, 0 to 1.
        test_fraction: share of labels for testing, 0 to 1; both together at most 1.
    """
    if source_part == _TEST:
        return _TEST
    digest = hashlib.sha256(f"seg2real split {source_sha256}".encode()).digest()
    position = int.from_bytes(digest[:6]) / 2**48
    if position < test_fraction:
        return _TEST
    return _VAL if position >= 1 - val_fraction else _TRAIN
