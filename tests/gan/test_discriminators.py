import pytest
import torch

from gan.config import DiscriminatorConfig
from gan.discriminators import MultiScaleDiscriminator, PatchDiscriminator


def test_has_the_published_number_of_parameters() -> None:
    discriminator = PatchDiscriminator(64, 3, 3)
    assert sum(parameter.numel() for parameter in discriminator.parameters()) == 2_764_737


def test_a_patch_sees_seventy_pixels() -> None:
    discriminator = PatchDiscriminator(4, 3, 3)
    # Instance norm spreads a change over the whole image; without it only the receptive field is left.
    discriminator.layers = torch.nn.Sequential(
        *(layer for layer in discriminator.layers if not isinstance(layer, torch.nn.InstanceNorm2d))
    )
    image = torch.randn(1, 3, 160, 160, requires_grad=True)
    discriminator(image)[0, 0, 9, 9].backward()
    rows = image.grad.abs().sum((0, 1, 3)).nonzero()
    assert rows.max() - rows.min() + 1 == 70


def test_zero_layers_judge_each_pixel() -> None:
    logits = PatchDiscriminator(4, 0, 3)(torch.randn(2, 3, 8, 12))
    assert logits.shape == (2, 1, 8, 12)


def test_each_scale_judges_half_the_size_of_the_one_before() -> None:
    config = DiscriminatorConfig(width=4, num_layers=2, num_scales=3)
    sizes = [logits.shape[-1] for logits in MultiScaleDiscriminator(config, 3)(torch.randn(1, 3, 64, 64))]
    assert sizes == [14, 6, 2]


@pytest.mark.parametrize("num_layers", [0, 2])
def test_instance_norm_can_be_left_out_with_the_same_weights(num_layers) -> None:
    discriminator = MultiScaleDiscriminator(DiscriminatorConfig(width=4, num_layers=num_layers), 3)
    image = torch.randn(1, 3, 32, 32)
    brighter = torch.cat([image[..., :31], image[..., 31:] + 5], -1)

    def changes_far_away(**how: bool) -> bool:
        one, other = (discriminator(shown, **how)[0][..., 0] for shown in (image, brighter))
        return not torch.equal(one, other)

    assert changes_far_away()
    assert not changes_far_away(normalize=False)  # only patches that hold the change see it
    assert torch.equal(discriminator(image, normalize=True)[0], discriminator(image)[0])


def test_global_and_local_discriminators_stand_side_by_side_on_each_scale() -> None:
    config = DiscriminatorConfig(width=4, num_layers=[3, 1], num_scales=2)
    logits = MultiScaleDiscriminator(config, 3)(torch.randn(2, 3, 48, 64))
    sizes = [tuple(scale.shape[-2:]) for scale in logits]
    assert sizes == [(4, 6), (22, 30), (1, 2), (10, 14)]
