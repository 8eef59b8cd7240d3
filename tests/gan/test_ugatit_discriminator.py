import copy

import pytest
import torch
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import _SpectralNorm

from gan.config import UgatitConfig
from gan.ugatit_discriminator import GlobalLocalDiscriminator, UgatitDiscriminator

SMALL = {"global_layers": 4, "local_layers": 3}


def discriminator(**changes) -> GlobalLocalDiscriminator:
    return GlobalLocalDiscriminator(UgatitConfig(**SMALL | changes), 3, width=4)


def test_has_the_number_of_parameters_of_the_public_code() -> None:
    scales = GlobalLocalDiscriminator(UgatitConfig(), 3, width=8).scales
    assert [sum(p.numel() for p in scale.parameters()) for scale in scales] == [835_192, 52_920]


@pytest.mark.parametrize(
    ("judges", "num_judgements"), [(True, 4), (False, 2)], ids=["with classifiers", "patches alone"]
)
@pytest.mark.parametrize("attends", [True, False])
def test_says_one_logit_per_patch_and_two_per_classifier(judges, num_judgements, attends) -> None:
    network = discriminator(discriminator_cam=judges, discriminator_cam_attention=attends)
    logits = network(torch.randn(2, 3, 24, 32))
    shapes = [(2, 1, 4, 6), (2, 2), (2, 1, 10, 14), (2, 2)]
    assert [tuple(each.shape) for each in logits] == (shapes if judges else shapes[::2])
    assert network.num_judgements == num_judgements
    sum(each.mean() for each in logits).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("num_layers", [3, 4, 5, 7])
def test_the_smallest_side_is_the_smallest(num_layers) -> None:
    smallest = UgatitConfig(global_layers=num_layers, local_layers=3).smallest_side
    network = UgatitDiscriminator(3, 4, num_layers, judges_activation=True, attends=True)
    assert network(torch.randn(1, 3, smallest, smallest))[0].shape == (1, 1, 1, 1)
    with pytest.raises(RuntimeError):
        network(torch.randn(1, 3, smallest - 1, smallest - 1))


def test_convolutions_are_normalised_to_spectral_norm_one() -> None:
    network = UgatitDiscriminator(3, 4, 4, judges_activation=True, attends=True)
    with torch.no_grad():
        for module in network.modules():
            if parametrize.is_parametrized(module, "weight"):
                module.parametrizations.weight.original.mul_(7)
    for _ in range(50):
        network(torch.randn(1, 3, 16, 16))
    network.eval()
    normalised = [module for module in network.modules() if parametrize.is_parametrized(module, "weight")]
    assert len(normalised) == 6  # four convolutions, two classifiers
    for module in normalised:
        assert torch.linalg.matrix_norm(module.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.01)


def test_without_spectral_norm_weights_are_used_as_they_are() -> None:
    network, image = discriminator(spectral_norm=False), torch.randn(1, 3, 16, 16)
    before = network(image)
    with torch.no_grad():
        for scale in network.scales:
            scale.head.weight.mul_(7)
            scale.class_activation.average.weight.mul_(7)
    for patches, scaled in zip(before[::2], network(image)[::2], strict=True):
        assert scaled.std() > 2 * patches.std()
    for classifier, scaled in zip(before[1::2], network(image)[1::2], strict=True):
        torch.testing.assert_close(scaled, classifier * torch.tensor([7.0, 1.0]))


def test_a_forward_pass_estimates_each_norm_once_and_in_full_precision(monkeypatch) -> None:
    estimate, precisions = _SpectralNorm.forward, []

    def spy(self, weight):
        precisions.append(torch.is_autocast_enabled("cpu"))
        return estimate(self, weight)

    network = UgatitDiscriminator(3, 4, 4, judges_activation=True, attends=True)
    monkeypatch.setattr(_SpectralNorm, "forward", spy)
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(torch.randn(1, 3, 16, 16))
    assert precisions == [False] * 6
    assert {each.dtype for each in logits} == {torch.float32}


def test_a_copy_and_a_reloaded_one_go_on_alike() -> None:
    network, image = discriminator(), torch.randn(1, 3, 16, 16)
    network(image)
    copied, reloaded = copy.deepcopy(network), discriminator()
    reloaded.load_state_dict(network.state_dict())
    for _ in range(2):
        for one, *others in zip(network(image), copied(image), reloaded(image), strict=True):
            assert all(torch.equal(one, other) for other in others)
