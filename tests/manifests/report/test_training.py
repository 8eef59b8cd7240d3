"""Curves of metrics.jsonl, of which a running or killed training leaves half a line."""

import json

from manifests.report.training import NUM_POINTS, read_curves


def lines(*entries: dict) -> bytes:
    return "".join(json.dumps(entry) + "\n" for entry in entries).encode()


def test_each_figure_is_a_curve() -> None:
    metrics = lines(
        {"num_images_seen": 100, "cycle_a": 4.0, "images_per_second": 7.0},
        {"num_images_seen": 200, "adherence_ema": 0.5},
        {"num_images_seen": 300, "cycle_a": 2.0, "images_per_second": 8.0},
        {"num_images_seen": 500, "cycle_a": 3.0, "images_per_second": 9.0},
    )
    curves = read_curves(metrics + b'{"num_images_seen": 600, "cyc')
    assert [curve.name for curve in curves] == ["adherence ema", "cycle a", "images per second"]
    cycle = curves[1]
    assert (cycle.low, cycle.high, cycle.last, cycle.num_images) == (2.0, 4.0, 3.0, 500)
    assert cycle.points == "0.00,0.00 50.00,40.00 100.00,20.00"


def test_what_is_no_figure_is_left_out() -> None:
    odd = lines({"num_images_seen": 1, "a": float("nan"), "b": "x", "c": True}, {"a": 1.0}, ["a"], {})
    assert read_curves(odd + b"\xff\n[]\n3\n") == read_curves(b"") == []


def test_a_long_run_has_few_points() -> None:
    metrics = lines(*({"num_images_seen": i, "loss": float(i)} for i in range(1, 10_001)))
    (curve,) = read_curves(metrics)
    assert len(curve.points.split()) <= NUM_POINTS and curve.last == 10_000
