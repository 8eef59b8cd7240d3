"""One picture that shows a dataset: labels beside what was generated for them."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa

from manifests.paths import inside
from pipeline.images import encode_jpeg, read_image

__all__ = ["draw_contact_sheet", "encode_within"]

GAP_PX = 4


def draw_contact_sheet(
    root: Path, samples: pa.Table, *, num: int = 24, columns: int = 4, tile_height: int = 120
) -> np.ndarray:
    """Pairs of label and generated image, evenly spread over a dataset.

    Args:
        root: the dataset.
        samples: its rows, of which the names of their files are used.
        num: pairs at most.
        columns: pairs side by side.
        tile_height: height of each picture in px; its aspect is kept.

    Returns:
        uint8 [H, W, 3] RGB.

    Raises:
        ValueError: there are no samples.
    """
    if not samples.num_rows:
        raise ValueError(f"{root} has no samples to show; generate some first.")
    num = min(num, samples.num_rows)
    chosen = samples.select(["label_file_name", "image_file_name"]).take(
        [index * samples.num_rows // num for index in range(num)]
    )
    pairs = [_pair(root, **names, height=tile_height) for names in chosen.to_pylist()]
    width = max(pair.shape[1] for pair in pairs)
    rows = -(-num // columns)
    sheet = np.full(
        (rows * (tile_height + GAP_PX) + GAP_PX, columns * (width + GAP_PX) + GAP_PX, 3), 255, np.uint8
    )
    for index, pair in enumerate(pairs):
        row, column = divmod(index, columns)
        top, left = GAP_PX + row * (tile_height + GAP_PX), GAP_PX + column * (width + GAP_PX)
        sheet[top : top + tile_height, left : left + pair.shape[1]] = pair
    return sheet


def encode_within(sheet: np.ndarray, max_bytes: int) -> bytes:
    """JPEG of a picture at the best quality, then the largest size, that stays within `max_bytes`."""
    while True:
        for quality in (90, 80, 70, 60):
            data = encode_jpeg(sheet, quality)
            if len(data) <= max_bytes:
                return data
        sheet = cv2.resize(sheet, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)


def _pair(root: Path, *, label_file_name: str, image_file_name: str, height: int) -> np.ndarray:
    label = read_image(inside(root, label_file_name))
    image = read_image(inside(root, image_file_name))
    width = max(1, round(label.shape[1] * height / label.shape[0]))
    shrinks = height < image.shape[0]
    return np.hstack(
        [
            cv2.resize(label, (width, height), interpolation=cv2.INTER_NEAREST),
            cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC),
        ]
    )
