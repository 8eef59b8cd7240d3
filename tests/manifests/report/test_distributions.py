"""What the charts show equals what the rows say."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from manifests.report.distributions import (
    NUM_SIZES,
    class_bars,
    reject_kinds,
    score_columns,
    score_histogram,
    size_bars,
    split_bars,
)


@pytest.fixture
def table(rows: Callable) -> pa.Table:
    """Four rows: two of train, of which one is rejected, and two of val without the last class."""
    return pa.concat_tables(
        [
            rows("a", split="train", mask_coverage=0.25),
            rows("b", split="train", accepted=False, reject_reason="constant: 0", mask_coverage=0.5),
            rows("c", "d", split="val", class_pixel_counts=(24, 24, 0), mask_coverage=1.0),
        ]
    )


def test_rows_per_split(table: pa.Table) -> None:
    bars = {bar.name: bar for bar in split_bars(table)}
    assert list(bars) == ["train", "val", "test"]
    assert (bars["train"].text, bars["train"].share, bars["train"].rejected_share) == (
        "2 (1 rejected)",
        1.0,
        0.5,
    )
    assert (bars["val"].text, bars["test"].text, bars["test"].share) == ("2", "0", 0.0)


def test_class_balance(table: pa.Table, palette: dict) -> None:
    environment, _, line = class_bars(table, palette["classes"])
    assert (line.text, line.color) == ("17 % of pixels, 50 % of labels", "#ffffff")
    assert environment.share == 1.0 and line.share == pytest.approx(32 / 80)


def test_scores_are_found_by_their_type(table: pa.Table) -> None:
    assert score_columns(table.schema) == ["mask_coverage"]
    more = table.append_column("adherence", pa.array([0.5, None, float("nan"), 1.0], pa.float64()))
    more = more.append_column("num_faults", pa.array([1, 2, 3, 4])).append_column("note", pa.array(["x"] * 4))
    assert score_columns(more.schema) == ["mask_coverage", "adherence", "num_faults"]
    adherence = score_histogram(more, "adherence")
    assert (adherence.low, adherence.high, adherence.num_missing) == (0.5, 1.0, 2)
    nothing = table.append_column("empty", pa.nulls(4, pa.float32()))
    assert score_histogram(nothing, "empty") is None


def test_a_histogram_holds_every_row(table: pa.Table) -> None:
    histogram = score_histogram(table, "mask_coverage")
    heights = np.array(histogram.accepted) + np.array(histogram.rejected)
    assert np.flatnonzero(heights).tolist() == [0, 8, 23] and heights.max() == 1.0
    assert np.flatnonzero(histogram.rejected).tolist() == [8]
    assert (histogram.low, histogram.median, histogram.high) == (0.25, 0.75, 1.0)


def test_rare_sizes_stand_together() -> None:
    bars = size_bars({f"{width}x10": 20 - width for width in range(1, 11)})
    assert len(bars) == NUM_SIZES and bars[0].name == "1 x 10"
    assert (bars[-1].name, bars[-1].text) == ("5 others", "60")


def test_reasons_are_counted_by_what_stands_before_their_figures() -> None:
    reasons = {"constant: 0.1": 1, "saturated: 99%": 2, "constant: 0.2": 4}
    assert reject_kinds(reasons) == [("constant", 5), ("saturated", 2)]


def test_an_empty_table_has_charts(table: pa.Table, palette: dict) -> None:
    empty = table.slice(0, 0)
    assert [bar.text for bar in split_bars(empty)] == ["0", "0", "0"]
    assert {bar.share for bar in class_bars(empty, palette["classes"])} == {0.0}
    assert score_histogram(empty, "mask_coverage") is None and size_bars({}) == []
