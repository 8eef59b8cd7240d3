"""Charts are well-formed, to scale, and their texts are only texts."""

from xml.etree import ElementTree

from manifests.report import charts


def parse(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def test_bars_are_to_scale() -> None:
    svg = parse(charts.bars({"a": 10, "<b>": 5, "c": 0}, colors=["red", "green", "blue"]))
    bars = svg.findall("rect")
    widths = [float(bar.get("width")) for bar in bars]
    assert widths[0] == 2 * widths[1] and widths[2] == 0
    assert [bar.get("fill") for bar in bars] == ["red", "green", "blue"]
    assert "<b>" in [text.text for text in svg.findall("text")]


def test_a_histogram_counts_every_value_once() -> None:
    svg = parse(charts.histogram([0.0, 0.1, 0.1, 0.9, 1.0], num_bins=10))
    counts = [int(bar.find("title").text.rpartition(": ")[2]) for bar in svg.findall("rect")]
    assert sum(counts) == 5 and counts[0] == 1 and counts[1] == 2 and counts[-1] == 2
    assert len(parse(charts.histogram([0.5, 0.5])).findall("rect")) == 20


def test_curves_stay_inside() -> None:
    svg = parse(charts.lines({"one": [(0, 0.0), (100, 1.0)], "two": [(0, -1.0), (50, 0.5)]}, unit="images"))
    for line in svg.findall("polyline"):
        points = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
        assert all(0 <= x <= charts.WIDTH and 0 <= y <= charts.PLOT_HEIGHT for x, y in points)
    assert "100 images" in [text.text for text in svg.findall("text")]


def test_nothing_makes_an_empty_chart() -> None:
    assert parse(charts.bars({})).findall("rect") == []
