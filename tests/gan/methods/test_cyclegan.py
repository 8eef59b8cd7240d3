import pytest
import torch
from torch import nn

from gan.config import NoiseConfig
from gan.methods.cyclegan import CycleGAN
from gan.methods.method import Batch


@pytest.fixture
def batch() -> Batch:
    random = torch.Generator().manual_seed(0)
    image_a, image_b = (torch.rand(2, 3, 16, 24, generator=random) * 2 - 1 for _ in range(2))
    return Batch(image_a, image_a, torch.ones(2, 1, 16, 24), image_b, torch.zeros(2, 1, 16, 24))


def test_the_mask_is_not_used(batch, small_config) -> None:
    method = CycleGAN(small_config(method="cyclegan"), NoiseConfig(), 3)
    hidden = batch._replace(attention_a=torch.zeros_like(batch.attention_a))
    assert torch.equal(method.generator_phase(batch).total, method.generator_phase(hidden).total)


def test_each_cycle_returns_to_the_image_that_it_started_from(batch, small_config) -> None:
    method = CycleGAN(small_config(method="cyclegan"), NoiseConfig(amount=0), 3)
    method.generators = nn.ModuleDict({"ab": nn.Identity(), "ba": nn.Identity()})
    terms = method.generator_phase(batch).terms
    for term in ("cycle_a", "cycle_b", "identity_a", "identity_b"):
        assert terms[term] == pytest.approx(0, abs=1e-6)


def test_the_total_is_the_weighted_sum_of_the_terms(batch, small_config) -> None:
    config = small_config(method="cyclegan", loss={"adversarial": 2.0, "cycle": 3.0, "identity": 0.5})
    phase = CycleGAN(config, NoiseConfig(), 3).generator_phase(batch)
    weights = {"adversarial": 2.0, "cycle": 3.0, "identity": 0.5}
    total = sum(weights[name[:-2]] * value for name, value in phase.terms.items())
    assert phase.total.item() == pytest.approx(total.item())
