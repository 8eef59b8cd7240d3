import math

import torch

from gan.metrics import RunningMeans


def test_means_since_the_last_pop() -> None:
    means = RunningMeans()
    means.add({"x": torch.tensor(1.0)})
    means.add({"x": torch.tensor(3.0)})
    assert means.peek() == {"x": 2.0}
    assert means.pop() == {"x": 2.0}
    assert means.pop() == {}


def test_remembers_one_nan() -> None:
    means = RunningMeans()
    means.add({"x": torch.tensor(math.nan)})
    means.add({"x": torch.tensor(1.0)})
    assert math.isnan(means.pop()["x"])


def test_continues_after_a_resume() -> None:
    means, resumed = RunningMeans(), RunningMeans()
    means.add({"x": torch.tensor(1.0)})
    resumed.load_state_dict(means.state_dict())
    resumed.add({"x": torch.tensor(2.0)})
    assert resumed.pop() == {"x": 1.5}
