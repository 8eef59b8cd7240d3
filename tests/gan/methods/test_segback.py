import math

import pytest
import torch
import torch.nn.functional as F

from gan.conditioning import DomainA
from gan.config import NoiseConfig, TrainConfig
from gan.methods.registry import build_method


@pytest.mark.parametrize("cycle", [0.0, 10.0])
def test_both_networks_learn_from_the_label_that_is_read_back(cycle, onehot, small_config, method_of) -> None:
    method = method_of(small_config(method="segback", loss={"cycle": cycle}))
    wanted = method.generator_phase(onehot())
    assert math.isfinite(wanted.total.item())
    wanted.total.backward()
    assert all(weight.grad.abs().sum() > 0 for weight in method.generators.parameters() if weight.dim() > 1)
    assert set(method.discriminators) == set(wanted.fakes) == ({"a", "b"} if cycle else {"b"})


def test_the_segmenter_learns_from_the_photograph_that_comes_back(onehot, small_config, method_of) -> None:
    weights = {"cycle": 1.0, "segmentation": 0, "adversarial_a": 0, "adversarial_b": 0}
    method = method_of(small_config(method="segback", loss=weights))
    method.generator_phase(onehot()).total.backward()
    weights = [weight for weight in method.generators["ba"].parameters() if weight.dim() > 1]
    assert all(weight.grad.abs().sum() > 0 for weight in weights)


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


@pytest.mark.parametrize("generator", ["resnet", "spade"])
def test_variants_differ_at_large(generator, small_config, method_of) -> None:
    """The mean colours of a class move with the noise, and not without numbers for it."""
    label_map = torch.zeros(1, 16, 24, dtype=torch.long)
    label_map[:, 8:] = 1
    hot = F.one_hot(label_map, 3).permute(0, 3, 1, 2).float()
    levels = torch.rand(16, 1, 16, 24, generator=torch.Generator().manual_seed(0))
    image_a = hot * (1 - 0.3 * levels) * 2 - 1

    def movement(latent_channels: int) -> float:
        segback = {"generator": generator, "latent_channels": latent_channels}
        method = method_of(small_config(method="segback", segback=segback))
        with torch.no_grad():
            drawn = method.generators.draw_b(image_a, torch.ones(16, 1, 16, 24), None)
        return drawn[:, :, 8:].mean((2, 3)).std(0).mean().item()

    assert movement(4) > 2 * movement(0)


def test_the_segmenter_starts_with_weights_of_its_own_scale(small_config, method_of) -> None:
    segmenter = method_of(small_config(method="segback")).generators["ba"]
    first = segmenter.stem[0].weight
    assert first.std().item() == pytest.approx((2 / (3 * 9)) ** 0.5, rel=0.3)


def test_what_is_not_labelled_teaches_nothing(small_config, onehot) -> None:
    batch = onehot()
    domain = DomainA(3, 3, NoiseConfig(amount=0), ignored=(1,))
    method = build_method(small_config(method="segback"), domain)
    assert (batch.label_map == 1).any()
    weight = method.class_weight(batch)
    assert weight[batch.label_map.unsqueeze(1) == 1].abs().max() == 0
    assert weight[batch.label_map.unsqueeze(1) != 1].min() > 0
