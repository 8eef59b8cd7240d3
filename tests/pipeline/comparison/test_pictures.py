from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pipeline.comparison.pictures import draw_curves, draw_sheet
from pipeline.images import encode_png


def entry(accuracies: list[float], miou: float) -> dict[str, Any]:
    curve = [
        {"num_images_seen": 10 * index, "accuracy_b": value} for index, value in enumerate(accuracies, 1)
    ]
    evaluation = {"adherence": {"generated": {"miou": miou}}, "usefulness": None}
    return {"training": {"curve": curve}, "evaluation": evaluation}


@pytest.fixture
def found() -> dict[str, Any]:
    return {"entries": {"balanced": entry([0.6, 0.62], 0.5), "collapsed": entry([0.7, 1.0], 0.9)}}


def decoded(png: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR_RGB)


def test_curves_show_every_entry_and_every_point(found) -> None:
    whole = decoded(draw_curves(found))
    assert np.array_equal(whole, decoded(draw_curves(found)))
    for name in found["entries"]:
        without = {"entries": {key: value for key, value in found["entries"].items() if key != name}}
        assert not np.array_equal(whole, decoded(draw_curves(without)))
    found["entries"]["balanced"]["training"]["curve"][1]["accuracy_b"] = 0.9
    assert not np.array_equal(whole, decoded(draw_curves(found)))


def test_the_sheet_has_labels_above_and_then_the_best_entry(found, tmp_path: Path) -> None:
    gray = {"labels": 50, "balanced": 100, "collapsed": 150}
    paths = {name: tmp_path / f"{name}.png" for name in gray}
    for name, value in gray.items():
        paths[name].write_bytes(encode_png(np.full((20, 120, 3), value, np.uint8)))
    sheet = decoded(draw_sheet(found, paths.pop("labels"), paths))
    middle = sheet[:, sheet.shape[1] // 2, 0]
    shown = [int(middle[np.flatnonzero(middle == value)].size) for value in gray.values()]
    assert min(shown) > 40
    tops = [int(np.flatnonzero(middle == gray[name])[0]) for name in ("labels", "collapsed", "balanced")]
    assert tops == sorted(tops)
