"""The folder of an export: empty when it begins, whole when its report is there, nobody else's in between."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from manifests.durable import exclusive_lock, make_folders, write_durable
from manifests.exports.classes import ExportError

__all__ = ["REPORT_NAME", "export_folder", "write_report"]

REPORT_NAME = "export.json"
"""Written last: an export without it is not whole."""
_MARK = ".unfinished-"
"""Begins the name of the file that says what is being written; it is gone when the export is whole."""


@contextmanager
def export_folder(folder: Path, format_name: str, *, overwrite: bool) -> Iterator[None]:
    """Hold a folder, emptied of an earlier export of the same format, for the length of the block.

    What a killed export has left behind is replaced without being asked for: the same command goes again.

    Args:
        folder: made when it is missing.
        format_name: what will be written.
        overwrite: whether an export that is whole may be replaced.

    Raises:
        ExportError: the folder holds something else.
        LockHeldError: somebody else exports into it now.
    """
    _refuse_foreign(folder, format_name, overwrite)
    make_folders(folder)
    mark = folder / f"{_MARK}{format_name}"
    with exclusive_lock(mark, what=f"The export {folder}"):
        if (folder / REPORT_NAME).exists() and not overwrite:  # somebody has finished it since the first look
            mark.unlink()
            _refuse_foreign(folder, format_name, overwrite)
        (folder / REPORT_NAME).unlink(missing_ok=True)
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path != mark:
                path.unlink()
        yield
        mark.unlink()


def write_report(folder: Path, report: dict[str, Any]) -> None:
    """Make an export whole: what was written before survives a power cut, and only then there is a report."""
    os.sync()
    write_durable(folder / REPORT_NAME, json.dumps(report, indent=1).encode() + b"\n")


def _refuse_foreign(folder: Path, format_name: str, overwrite: bool) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ExportError(f"{folder} is a file; a new folder was wanted.")
    names = {path.name for path in folder.iterdir()}
    if not names or (f"{_MARK}{format_name}" in names and REPORT_NAME not in names):
        return
    earlier = _format_of(folder)
    if earlier != format_name or not overwrite:
        what = f"an export as {earlier}" if earlier else "files that are no export"
        way = "choose another folder" + (", or --overwrite" if earlier == format_name else "")
        raise ExportError(f"{folder} holds {what}; {way}.")


def _format_of(folder: Path) -> str | None:
    try:
        return json.loads((folder / REPORT_NAME).read_text(encoding="utf-8"))["format"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
