"""Which rows are shown: all where they fit, the rejected ones first, spread over the dataset."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.report.choice import choose_rows


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 80))
def test_no_row_twice_and_no_place_empty(is_accepted: list[bool], max_samples: int) -> None:
    accepted = np.array(is_accepted, bool)
    chosen = choose_rows(accepted, max_samples)
    assert len(chosen) == len(set(chosen.tolist())) == min(len(is_accepted), max_samples)
    num_rejected = int((~accepted[chosen]).sum())
    assert not accepted[chosen[:num_rejected]].any() and accepted[chosen[num_rejected:]].all()
    if (~accepted).sum() <= max_samples // 2:
        assert num_rejected == (~accepted).sum()


@pytest.mark.parametrize(
    ("num_rejected", "expected"),
    [(0, 0), (3, 3), (50, 5), (100, 10)],
)
def test_rejected_ones_leave_half_of_the_places(num_rejected: int, expected: int) -> None:
    is_accepted = np.arange(100) >= num_rejected
    assert (choose_rows(is_accepted, 10) < num_rejected).sum() == expected


def test_accepted_ones_are_evenly_spread() -> None:
    assert choose_rows(np.ones(1000, bool), 4).tolist() == [0, 250, 500, 750]
