"""Which photograph's background is pasted into which picture."""

from collections.abc import Iterable

import numpy as np

from gan.schedule import derived_seed

__all__ = ["Backgrounds"]


class Backgrounds:
    """Photographs to choose from, by content.

    Rendezvous hashing (Thaler and Ravishankar 1998): a picture gives each photograph a number of its own and
    takes the highest. A choice depends on neither the photographs' names nor their order; a photograph that
    is added wins its share of the pictures, evenly, and changes no other; one that is removed loses only its
    own.

    Args:
        sha256s: content hashes, at least one.
    """

    def __init__(self, sha256s: Iterable[str]):
        self._sha256s = sorted(set(sha256s))
        assert self._sha256s, "backgrounds are pasted from at least one photograph"
        self._keys = np.array([int(sha256[:16], 16) for sha256 in self._sha256s], np.uint64)

    def choose(self, source_sha256: str, seed: int, variant: int) -> str:
        """The photograph for a picture.

        Args:
            source_sha256: content hash of the source label.
            seed: of the run.
            variant: which of several pictures of the label.
        """
        picture = derived_seed(seed, "background", int(source_sha256[:16], 16), variant)
        return self._sha256s[int(_scrambled(self._keys ^ np.uint64(picture)).argmax())]


def _scrambled(words: np.ndarray) -> np.ndarray:
    """Each bit of a word depends on all of its bits: uint64 -> uint64, one to one (the finaliser of
    SplitMix64, Steele et al. 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
