"""Background options hold with every method that knows the label's mask."""

import pytest
import torch
from torch import nn

METHODS = [
    {"method": "cyclegan"},
    {"method": "attention_cyclegan"},
    {"method": "attentiongan", "generator": {"width": 4, "num_blocks": 1}},
    {"method": "cut"},
    {"method": "ugatit", "ugatit": {"light": True, "global_layers": 3, "local_layers": 3}},
]
ONEHOT = [{"method": "segback"}]


def phases(method, batch):
    """Both phases of a step, and the gradient of the first at the drawn photographs' pixels."""
    wanted = method.generator_phase(batch)
    fakes = {name: fake.detach().requires_grad_() for name, fake in wanted.fakes.items()}
    return wanted, fakes, method.discriminator_phase(batch, fakes)


@pytest.mark.parametrize("changes", METHODS + ONEHOT, ids=lambda changes: changes["method"])
def test_neutral_patches_tell_neither_phase_of_the_background(
    changes, batch, small_config, method_of, plain_discriminators, onehot
) -> None:
    batch = onehot() if changes["method"] == "segback" else batch
    config = small_config(**changes, fixed_background={"neutral_patches": True})
    method = method_of(config)
    plain_discriminators(method)
    _, fakes, judged = phases(method, batch)
    judged.total.backward()
    gradient = fakes["b"].grad[:, :3].abs().sum((0, 1))
    background = batch.attention_a[0, 0] == 0
    assert gradient[background].sum() == 0
    assert gradient[~background].sum() > 0


@pytest.mark.parametrize("changes", METHODS + ONEHOT, ids=lambda changes: changes["method"])
def test_the_generator_is_judged_by_patches_under_the_mask_alone(
    changes, batch, small_config, method_of, plain_discriminators, onehot
) -> None:
    batch = onehot() if changes["method"] == "segback" else batch
    method = method_of(small_config(**changes, fixed_background={"neutral_patches": True}))
    plain_discriminators(method)
    wanted = method.generator_phase(batch)
    under_mask = wanted.fakes["b"][:, :3, :, 12:].mean(1)
    by_hand = (under_mask - 1).square().mean() * getattr(method, "num_judgements", 1)
    assert wanted.terms["adversarial_b"].item() == pytest.approx(by_hand.item(), rel=1e-5)


@pytest.mark.parametrize("changes", METHODS, ids=lambda changes: changes["method"])
def test_a_fixed_background_is_compared_with_the_inputs(changes, batch, small_config, method_of) -> None:
    method = method_of(small_config(**changes, loss={"fixed_background": 100.0}))
    wanted = method.generator_phase(batch)
    drawn, background = wanted.fakes["b"], batch.attention_a == 0
    difference = (drawn - batch.clean_a).abs().mean(1, keepdim=True)
    assert wanted.terms["fixed_background"].item() == pytest.approx(difference[background].mean().item())


def test_a_detached_background_learns_nothing_from_the_discriminator(
    batch, small_config, method_of, plain_discriminators
) -> None:
    config = small_config(
        method="cyclegan",
        fixed_background={"detach": True},
        loss={"cycle": 0, "identity": 0, "adversarial_a": 0},
    )
    method = method_of(config)
    plain_discriminators(method)
    drawn = torch.zeros_like(batch.image_b).requires_grad_()

    class Canvas(nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return drawn

    method.generators["ab"] = Canvas()
    method.generator_phase(batch).total.backward()
    background = (batch.attention_a == 0).expand_as(drawn)
    assert drawn.grad[background].abs().sum() == 0
    assert drawn.grad[~background].abs().sum() > 0


def test_a_background_without_colours_cannot_be_fixed(small_config) -> None:
    with pytest.raises(ValueError, match="fixed_background.*onehot"):
        small_config(conditioning="onehot", loss={"fixed_background": 1.0})
