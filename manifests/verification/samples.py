"""Whether the bytes and pixels of a row's files are what the row says."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa

from manifests.decoding import UndecodableError, decode_image, decode_label, image_size
from manifests.paths import UnsafePathError
from manifests.storage.store import Store
from manifests.verification.findings import Finding
from manifests.verification.presence import FILE_KINDS

__all__ = ["check_samples"]

_MAX_MEGAPIXELS = 64
_ROWS_PER_TASK = 64


def check_samples(
    store: Store,
    rows: pa.Table,
    num_classes: int,
    *,
    num_workers: int,
    is_wanted: Callable[[int, str], bool],
) -> Iterator[tuple[int, list[Finding]]]:
    """Hash and decode the files of rows, in threads.

    Args:
        store: where the files lie.
        rows: rows without gaps.
        num_classes: classes of the palette.
        num_workers: threads.
        is_wanted: whether to look at the image or label of a row, by its position.

    Yields:
        Rows done so far and what was found, in the order of rows.
    """

    def check(start: int) -> list[Finding]:
        return [
            finding
            for position, row in enumerate(rows.slice(start, _ROWS_PER_TASK).to_pylist(), start)
            for kind in FILE_KINDS
            if is_wanted(position, kind)
            for finding in _check_file(store, row, kind, num_classes)
        ]

    with ThreadPoolExecutor(num_workers) as threads:
        starts = range(0, rows.num_rows, _ROWS_PER_TASK)
        for start, found in zip(starts, threads.map(check, starts), strict=True):
            yield min(start + _ROWS_PER_TASK, rows.num_rows), found


def _check_file(store: Store, row: Mapping[str, Any], kind: str, num_classes: int) -> Iterator[Finding]:
    """The first thing that is wrong with a row's image or label, if any."""
    name = row[f"{kind}_file_name"]

    def finding(code: str, what: str) -> Finding:
        return Finding(code=code, where=name, what=what, sample_id=row["sample_id"])

    # Are its bytes the published ones, and do they decode to what the row says?
    try:
        data = store.read(name)
        if hashlib.sha256(data).hexdigest() != row[f"{kind}_sha256"]:
            yield finding("wrong_sha256", f"the {kind}'s bytes are not the ones that were published")
            return
        width, height = image_size(data)
        if width * height > _MAX_MEGAPIXELS * 1_000_000:
            what = f"the {kind} has {width}x{height} px, over {_MAX_MEGAPIXELS} megapixels"
            yield finding("too_large", what)
            return
        if (width, height) != (row["width"], row["height"]):
            what = f"the {kind} has {width}x{height} px, not {row['width']}x{row['height']}"
            yield finding("wrong_dimensions", what)
            return
        if kind == "image":
            decode_image(data)
            return
        counts = np.bincount(decode_label(data).ravel(), minlength=num_classes).tolist()
    except UnsafePathError as error:
        yield finding("unsafe_path", str(error).rstrip("."))
        return
    except OSError as error:
        yield finding("missing_file", f"the {kind} cannot be read ({error.strerror or error})")
        return
    except UndecodableError as error:
        yield finding("undecodable", f"the {kind} cannot be decoded: {error}")
        return

    # Do the label's classes exist and cover what the row says?
    if len(counts) > num_classes:
        unknown = [index for index, count in enumerate(counts) if count and index >= num_classes]
        yield finding(
            "unknown_class_id", f"the label has class ids {unknown}; the palette ends at {num_classes - 1}"
        )
    elif counts != row["class_pixel_counts"]:
        yield finding(
            "wrong_pixel_counts", f"the label has {counts} px per class, not {row['class_pixel_counts']}"
        )
