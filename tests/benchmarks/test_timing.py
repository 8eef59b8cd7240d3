"""Ways in turn, and their ratios."""

from benchmarks.timing import median_ratio, seconds_in_turn


def test_ways_are_called_in_turn_and_the_first_round_does_not_count() -> None:
    called: list[str] = []
    ways = {name: lambda name=name: called.append(name) for name in "ab"}
    seconds = seconds_in_turn(ways, 3, clock=lambda: float(len(called)))
    assert called == ["a", "b"] * 4
    assert seconds == {"a": [1.0] * 3, "b": [1.0] * 3}


def test_a_ratio_is_of_one_round_and_the_median_of_rounds() -> None:
    seconds = {"peer": [2.0, 30.0, 4.0], "own": [1.0, 10.0, 4.0]}
    assert median_ratio(seconds, "peer", "own") == 2.0
