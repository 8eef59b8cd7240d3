"""What a dataset's place promises, whatever it is made of."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, NamedTuple

__all__ = ["FileStatus", "Store", "StoreError"]


class StoreError(ValueError):
    """A place where no dataset can be kept; the message says why and what to do."""


class FileStatus(NamedTuple):
    """What a store knows of a file without reading it."""

    num_bytes: int
    modified: float
    """When it was last written, in seconds since 1970."""
    is_regular: bool = True
    """False = a pipe or device, or a folder."""


class Store(ABC):
    """Files below a root, by names with "/" between folders.

    A file is whole or absent at any moment. What a method has written survives a power cut when it returns.
    Methods that take a name refuse one that leads out of the root (`UnsafePathError`).
    """

    location: str
    """The root for people."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """All bytes of a file; FileNotFoundError when it is missing."""

    @abstractmethod
    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """A file to seek and read in; FileNotFoundError when it is missing."""

    @abstractmethod
    def status(self, name: str) -> FileStatus:
        """Size and age of a file; FileNotFoundError when it is missing."""

    @abstractmethod
    def walk(self, folder: str) -> Iterator[tuple[str, dict[str, FileStatus]]]:
        """Each folder at and below one, with the files in it by their own names; nothing when there is none.

        A link is told as a file that is not regular; what it stands for is what `status` says.
        """

    def names(self, folder: str) -> list[str]:
        """Names of all files in a folder and below it, sorted."""
        return sorted(f"{parent}/{name}" for parent, files in self.walk(folder) for name in files)

    @abstractmethod
    def replace(self, name: str, data: bytes | memoryview) -> None:
        """Write a file, in the place of one that may be there; folders are made as needed."""

    @abstractmethod
    def create(self, name: str, data: bytes) -> None:
        """Write a file that is not there yet; of several writers one succeeds, the others get
        FileExistsError."""

    @abstractmethod
    def replace_while(self, name: str, is_wanted: Callable[[], bool], data: Callable[[], bytes]) -> None:
        """Replace a file if `is_wanted` says so, and so that nobody else replaces it between that answer and
        the writing."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file; one that is missing is not missed."""
