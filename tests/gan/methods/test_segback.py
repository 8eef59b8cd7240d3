import math

import pytest
import torch

from gan.config import TrainConfig


@pytest.mark.parametrize("cycle", [0.0, 10.0])
def test_both_networks_learn_from_the_label_that_is_read_back(cycle, onehot, small_config, method_of) -> None:
    method = method_of(small_config(method="segback", loss={"cycle": cycle}))
    wanted = method.generator_phase(onehot())
    assert math.isfinite(wanted.total.item())
    wanted.total.backward()
    assert all(weight.grad.abs().sum() > 0 for weight in method.generators.parameters() if weight.dim() > 1)
    assert set(method.discriminators) == set(wanted.fakes) == ({"a", "b"} if cycle else {"b"})


def test_the_total_is_the_weighted_sum(onehot, small_config, method_of) -> None:
    weights = {"cycle": 3.0, "segmentation": 2.0, "adversarial_a": 0.5, "adversarial_b": 0.25}
    wanted = method_of(small_config(method="segback", loss=weights)).generator_phase(onehot())
    by_name = weights | {"cycle_b": 3.0}
    total = sum(by_name[name] * term for name, term in wanted.terms.items())
    assert wanted.total.item() == pytest.approx(total.item())


def test_a_photograph_is_read_as_shares_of_classes(onehot, small_config, method_of, batch) -> None:
    method = method_of(small_config(method="segback"))
    shares = (method.generators.draw_a(batch.image_b) + 1) / 2
    assert shares.shape == (2, 3, 16, 24)
    assert torch.allclose(shares.sum(1), torch.ones(2, 16, 24), atol=1e-5)


def test_colours_are_refused() -> None:
    with pytest.raises(ValueError, match="onehot"):
        TrainConfig(method="segback", conditioning="rgb")
