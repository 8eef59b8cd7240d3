"""The contact sheet: pairs at their own aspect, spread over the dataset, within a size."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest

from manifests.schema import SCHEMA
from pipeline.contact_sheet import GAP_PX, draw_contact_sheet, encode_within
from pipeline.images import encode_png


def put(root: Path, number: int, *, width: int = 40, height: int = 30) -> dict[str, str]:
    """Names of a sample whose label is dark and whose image is bright, both by its number."""
    names = {kind: f"{kind}s/0000/{number}.png" for kind in ("image", "label")}
    for kind, level in (("image", 100 + number), ("label", number)):
        path = root / names[kind]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(np.full((height, width, 3), level, np.uint8)))
    return {"image_file_name": names["image"], "label_file_name": names["label"]}


def test_each_label_stands_beside_its_image(tmp_path: Path) -> None:
    samples = [put(tmp_path, number) for number in range(5)]
    sheet = draw_contact_sheet(tmp_path, pa.Table.from_pylist(samples), columns=2, tile_height=15)
    assert sheet.shape == (3 * (15 + GAP_PX) + GAP_PX, 2 * (40 + GAP_PX) + GAP_PX, 3)
    tiles = [
        sheet[top : top + 15, left : left + 40]
        for top in range(GAP_PX, sheet.shape[0], 15 + GAP_PX)
        for left in range(GAP_PX, sheet.shape[1], 40 + GAP_PX)
    ]
    for number, tile in enumerate(tiles[:5]):
        assert (tile[:, :20] == number).all() and (tile[:, 20:] == 100 + number).all()
    assert (tiles[5] == 255).all()


def test_it_shows_samples_spread_over_all(tmp_path: Path) -> None:
    samples = [put(tmp_path, number) for number in range(40)]
    sheet = draw_contact_sheet(tmp_path, pa.Table.from_pylist(samples), num=4, columns=1, tile_height=30)
    shown = [int(sheet[GAP_PX + row * (30 + GAP_PX), GAP_PX, 0]) for row in range(4)]
    assert shown == [0, 10, 20, 30]


def test_every_size_keeps_its_aspect(tmp_path: Path) -> None:
    samples = [put(tmp_path, 0), put(tmp_path, 1, width=90), put(tmp_path, 2, width=7, height=99)]
    sheet = draw_contact_sheet(tmp_path, pa.Table.from_pylist(samples), columns=1, tile_height=60)
    widths = [
        int((sheet[GAP_PX + row * (60 + GAP_PX), GAP_PX:, 0] != 255).sum()) for row in range(len(samples))
    ]
    assert widths == [2 * 80, 2 * 180, 2 * 4]


def test_nothing_to_show_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no samples to show; generate some first"):
        draw_contact_sheet(tmp_path, SCHEMA.empty_table())


@pytest.mark.parametrize("max_bytes", [1_000_000, 20_000, 2_000])
def test_an_encoded_sheet_stays_within_its_bytes(max_bytes: int) -> None:
    sheet = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    data = encode_within(sheet, max_bytes)
    assert len(data) <= max_bytes
    height, width = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape[:2]
    assert abs(width / height - 1.5) < 0.1
    if max_bytes == 1_000_000:
        assert (height, width) == (200, 300)
