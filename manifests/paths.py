"""Names of files in a dataset, and what keeps them inside it."""

import os
import re
from pathlib import Path

__all__ = ["UnsafePathError", "check_relative", "inside"]

_SCHEME_OR_DRIVE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class UnsafePathError(ValueError):
    """A file name in a manifest that leads, or could lead, out of the dataset's folder."""


def check_relative(name: str) -> None:
    """Refuse a file name that is not plainly relative and inside; looks at the text only, not at the disk.

    Raises:
        UnsafePathError: it is absolute, has a drive or scheme, an empty part, ".", "..", a backslash or NUL.
    """
    parts = name.split("/")
    unsafe = (
        {"", ".", ".."}.intersection(parts) or "\0" in name or "\\" in name or _SCHEME_OR_DRIVE.match(name)
    )
    if unsafe:
        raise UnsafePathError(
            f"The manifest names the file {name!r}; a path inside the dataset's folder was wanted, such as "
            "'images/0000/a.png'."
        )


def inside(root: Path, name: str) -> Path:
    """The file `name` of the dataset at `root`, with every link followed.

    Raises:
        UnsafePathError: the name is unsafe, or a link leads out of `root`.
    """
    check_relative(name)
    path = Path(os.path.realpath(root / name))
    if not path.is_relative_to(os.path.realpath(root)):
        raise UnsafePathError(f"The file {name!r} is a link that leads out of {root}, to {path}.")
    return path
