import pytest
import torch
from torch import nn


def test_the_mask_is_not_used(batch, small_config, method_of) -> None:
    method = method_of(small_config(method="cyclegan"))
    hidden = batch._replace(attention_a=torch.zeros_like(batch.attention_a))
    assert torch.equal(method.generator_phase(batch).total, method.generator_phase(hidden).total)


def test_each_cycle_returns_to_the_image_that_it_started_from(batch, small_config, method_of) -> None:
    method = method_of(small_config(method="cyclegan"))
    method.generators.update({"ab": nn.Identity(), "ba": nn.Identity()})
    terms = method.generator_phase(batch).terms
    for term in ("cycle_a", "cycle_b", "identity_a", "identity_b"):
        assert terms[term] == pytest.approx(0, abs=1e-6)


def test_the_total_is_the_weighted_sum_of_the_terms(batch, small_config, method_of) -> None:
    config = small_config(
        method="cyclegan", loss={"adversarial_a": 2.0, "adversarial_b": 4.0, "cycle": 3.0, "identity": 0.5}
    )
    phase = method_of(config).generator_phase(batch)
    weights = {"adversarial_a": 2.0, "adversarial_b": 4.0}
    weights |= {"cycle_a": 3.0, "cycle_b": 3.0, "identity_a": 0.5, "identity_b": 0.5}
    total = sum(weights[name] * value for name, value in phase.terms.items())
    assert phase.total.item() == pytest.approx(total.item())
