"""Which files there are, against which there should be: by folders, so that a million rows take seconds."""

from array import array
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pyarrow as pa

from manifests.paths import UnsafePathError, check_relative
from manifests.storage.store import FileStatus, Store
from manifests.verification.findings import Finding

__all__ = ["FILE_KINDS", "Presence"]

FILE_KINDS = ("image", "label")
_NUM_KINDS = len(FILE_KINDS)
_ROWS_PER_STEP = 65_536
_SPECIAL = {"", ".", ".."}
_UNSAFE = {"\\", "\0", ":"}


def _clause(error: Exception) -> str:
    return str(error).rstrip(".")


class Presence:
    """The comparison of a table's file names with a store.

    Args:
        store: where the files lie.
        rows: columns sample_id, image_file_name, image_bytes, label_file_name and label_bytes; rows without
            a name have no file.
    """

    def __init__(self, store: Store, rows: pa.Table):
        self.absent: set[tuple[int, str]] = set()
        """(row, kind) of each file that is not there as it should be, once `check` is through."""
        self.unnamed: list[str] = []
        """Files beside the named ones that no row names, once `check` is through."""
        self._store = store
        self._rows = rows.combine_chunks()
        self._num_checked = 0

    def check(self, progress: Callable[[int, int], None] | None) -> Iterator[Finding]:
        """What is wrong; `progress` is called with rows done and rows in all."""
        unsafe, by_folder = self._sort_by_folder()
        yield from unsafe

        # Compare folder by folder: one listing tells of hundreds of files.
        for tree in (f"{kind}s" for kind in FILE_KINDS):
            for folder, files in self._walk(tree):
                yield from self._check_folder(folder, files, by_folder.pop(folder, array("q")))
                self._report(progress)
        for folder, places in sorted(by_folder.items()):
            yield from self._check_folder(folder, None, places)
            self._report(progress)

    def _sort_by_folder(self) -> tuple[list[Finding], dict[str, array]]:
        """Places of the names in each folder; a place is row * _NUM_KINDS + kind."""
        unsafe: list[Finding] = []
        by_folder: dict[str, array] = {}
        for start in range(0, self._rows.num_rows, _ROWS_PER_STEP):
            step = self._rows.slice(start, _ROWS_PER_STEP)
            for kind_index, kind in enumerate(FILE_KINDS):
                for row, name in enumerate(step[f"{kind}_file_name"].to_pylist(), start):
                    if name is None:
                        continue
                    folder, _, base = name.rpartition("/")
                    # Beside a name that is safe, one without special parts is safe, too.
                    if folder not in by_folder or base in _SPECIAL or not _UNSAFE.isdisjoint(base):
                        try:
                            check_relative(name)
                        except UnsafePathError as error:
                            unsafe.append(self._finding("unsafe_path", row, kind, name, _clause(error)))
                            continue
                    by_folder.setdefault(folder, array("q")).append(row * _NUM_KINDS + kind_index)
        return unsafe, by_folder

    def _walk(self, tree: str) -> Iterator[tuple[str, Mapping[str, FileStatus]]]:
        try:
            yield from self._store.walk(tree)
        except UnsafePathError:
            return  # each row in it is then a finding of its own

    def _check_folder(
        self, folder: str, files: Mapping[str, FileStatus] | None, places: array
    ) -> Iterator[Finding]:
        """Rows with files in a folder, against its listing; None = it is listed nowhere, look one by one."""
        named: set[str] = set()
        for kind_index, kind in enumerate(FILE_KINDS):
            numbers = np.frombuffer(places, np.int64)
            numbers = numbers[numbers % _NUM_KINDS == kind_index] // _NUM_KINDS
            names, sizes = (
                self._rows[f"{kind}_{what}"].take(pa.array(numbers)).to_pylist()
                for what in ("file_name", "bytes")
            )
            for row, name, num_bytes in zip(numbers.tolist(), names, sizes, strict=True):
                base = name.rpartition("/")[2]
                named.add(base)
                found = files.get(base) if files is not None else None
                if found is None or not found.is_regular or found.num_bytes != num_bytes:
                    wrong = self._wrong(name, found, num_bytes)
                    if wrong is not None:
                        yield self._finding(wrong[0], row, kind, name, f"the {kind} {wrong[1]}")
        self._num_checked += len(places)
        self.unnamed += [f"{folder}/{base}" for base in sorted(set(files or ()) - named)]

    def _wrong(self, name: str, found: FileStatus | None, num_bytes: int | None) -> tuple[str, str] | None:
        if found is None or not found.is_regular:
            # It is missing, or a link, or lies where nobody has looked.
            try:
                found = self._store.status(name)
            except UnsafePathError as error:
                return "unsafe_path", f"is out of reach: {_clause(error)}"
            except OSError as error:
                return "missing_file", f"cannot be opened ({error.strerror or 'there is none'})"
        if not found.is_regular:
            return "missing_file", "is no regular file"
        if num_bytes is not None and found.num_bytes != num_bytes:
            return "wrong_size", f"has {found.num_bytes} bytes, not {num_bytes}"
        return None

    def _finding(self, code: str, row: int, kind: str, name: str, what: str) -> Finding:
        self.absent.add((row, kind))
        return Finding(code=code, where=name, what=what, sample_id=self._rows["sample_id"][row].as_py())

    def _report(self, progress: Callable[[int, int], None] | None) -> None:
        if progress is not None:
            progress(self._num_checked // _NUM_KINDS, self._rows.num_rows)
