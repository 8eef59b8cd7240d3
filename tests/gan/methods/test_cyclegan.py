import pytest
import torch
from torch import nn

from gan.config import NoiseConfig


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


def test_a_pair_is_drawn_as_each_other(batch, small_config, method_of) -> None:
    """Identity networks draw the label for the photograph, so that both terms are the pair's distance."""
    method = method_of(small_config(method="cyclegan", paired=True))
    method.generators.update({"ab": nn.Identity(), "ba": nn.Identity()})
    terms = method.generator_phase(batch).terms
    distance = (batch.image_a - batch.image_b).abs().mean().item()
    assert terms["paired_a"].item() == terms["paired_b"].item() == pytest.approx(distance)
    same = method.generator_phase(batch._replace(image_b=batch.image_a)).terms
    assert same["paired_a"] == same["paired_b"] == 0


def test_pairs_count_only_where_they_are_some(batch, small_config, method_of) -> None:
    unpaired = method_of(small_config(method="cyclegan")).generator_phase(batch)
    paired = method_of(small_config(method="cyclegan", paired=True)).generator_phase(batch)
    twice = method_of(small_config(method="cyclegan", paired=True, loss={"paired": 2})).generator_phase(batch)
    assert set(paired.terms) - set(unpaired.terms) == {"paired_a", "paired_b"}
    added = (paired.terms["paired_a"] + paired.terms["paired_b"]).item()
    assert (paired.total - unpaired.total).item() == pytest.approx(added, abs=1e-4)
    assert (twice.total - paired.total).item() == pytest.approx(added, abs=1e-4)


def test_a_drawn_label_is_compared_with_its_own_before_noise_falls_on_it(
    batch, small_config, method_of
) -> None:
    method = method_of(small_config(method="cyclegan", paired=True), noise=NoiseConfig(amount=0.4))
    method.generators.update({"ab": nn.Identity(), "ba": nn.Identity()})
    noisy = batch._replace(
        image_a=batch.clean_a + 0.25,
        image_b=batch.clean_a,
        noise_level=torch.full_like(batch.noise_level, 0.7),
    )
    assert method.generator_phase(noisy).terms["paired_a"] == 0
