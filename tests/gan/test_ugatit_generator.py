import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gan.class_activation import class_activation_loss
from gan.config import GeneratorConfig
from gan.ugatit_generator import UgatitGenerator

SMALL = {"width": 4, "num_blocks": 1}
RECEPTIVE_RADIUS_PX = 3 + 1 + 2 + 2 * 4
"""Of the encoder with one block: how far a feature sees beyond its place."""


def generator(image_size=None, *, channels=(3, 3), masks=None, **changes) -> UgatitGenerator:
    switches = {} if masks is None else {f"masks_{masks}": True}
    return UgatitGenerator(GeneratorConfig(**SMALL | changes), *channels, image_size=image_size, **switches)


@pytest.mark.parametrize(("image_size", "num_parameters"), [((256, 256), 278_959_808), (None, 10_589_888)])
def test_has_the_published_number_of_parameters(image_size, num_parameters) -> None:
    with torch.device("meta"):
        published = UgatitGenerator(GeneratorConfig(num_blocks=4), 3, 3, image_size=image_size)
    assert sum(parameter.numel() for parameter in published.parameters()) == num_parameters


@pytest.mark.parametrize("upsampling", ["resize", "transposed"])
@pytest.mark.parametrize("image_size", [(16, 28), None])
def test_keeps_height_and_width_and_stays_in_range(image_size, upsampling) -> None:
    drawn = generator(image_size, channels=(5, 3), upsampling=upsampling)(torch.randn(2, 5, 16, 28))
    assert drawn.image.shape == (2, 3, 16, 28)
    assert drawn.image.abs().max() <= 1
    assert (drawn.image.std((2, 3)) > 1e-3).all()
    assert drawn.logits.shape == (2, 2)
    assert drawn.heat_map.shape == (2, 1, 4, 7)
    assert drawn.heat_map.min() >= 0
    assert drawn.masks is None
    assert {drawn.image.dtype, drawn.logits.dtype} == {torch.float32}


def test_the_light_form_draws_any_size_and_the_full_form_one() -> None:
    light, full = generator(), generator((16, 24))
    larger = torch.randn(1, 3, 24, 32)
    assert light(larger).image.shape == larger.shape
    with pytest.raises(ValueError, match=r"32 x 24 px.* 24 x 16 px"):
        full(larger)
    with pytest.raises(ValueError, match=r"16 x 24 px.* 24 x 16 px"):
        full(torch.randn(1, 3, 24, 16))


def test_the_full_form_knows_where_features_are_and_the_light_form_only_how_many() -> None:
    for image_size, depends in (((16, 16), True), (None, False)):
        network = generator(image_size).gamma_beta
        features = torch.rand(1, 16, 4, 4)
        gamma, beta = network(features)
        mirrored_gamma, mirrored_beta = network(features.flip(3))
        assert torch.allclose(gamma, mirrored_gamma, atol=1e-6) != depends
        assert torch.allclose(beta, mirrored_beta, atol=1e-6) != depends


@pytest.mark.parametrize("image_size", [(16, 16), None])
def test_a_picture_does_not_depend_on_its_neighbours_in_the_batch(image_size) -> None:
    network = generator(image_size)
    images = torch.randn(3, 3, 16, 16)
    for together, alone in zip(network(images)[:3], network(images[1:2])[:3], strict=True):
        torch.testing.assert_close(together[1:2], alone)


def test_the_heat_map_is_where_the_classifier_finds_its_features() -> None:
    network = generator(width=4)
    network.encoder, features = nn.Identity(), torch.zeros(1, 16, 4, 4)
    features[:, :, 1, 2] = 1
    with torch.no_grad():
        network.class_activation.average.weight.fill_(1)
        network.class_activation.maximum.weight.fill_(1)
        network.fuse.weight.fill_(1)
        network.fuse.bias.zero_()
    heat_map = network(features).heat_map
    assert heat_map[0, 0, 1, 2] > 0
    assert heat_map.sum() == heat_map[0, 0, 1, 2]


@pytest.fixture
def landscape() -> tuple[torch.Tensor, torch.Tensor, slice]:
    """An image [1, 3, 16, 64], the mask of its right quarter, the columns that features there never see."""
    attention = torch.zeros(1, 1, 16, 64)
    attention[..., 48:] = 1
    return torch.randn(1, 3, 16, 64), attention, slice(None, 48 - RECEPTIVE_RADIUS_PX)


def without_norms(network: UgatitGenerator) -> UgatitGenerator:
    """Instance norms read whole feature maps; without them an encoder's features see their surroundings."""
    for module in network.encoder.modules():
        if isinstance(module, nn.InstanceNorm2d):
            module.forward = lambda features: features
    return network


@pytest.mark.parametrize("masks", [None, "cam_input"])
def test_a_masked_classifier_learns_from_the_foreground_alone(masks, landscape) -> None:
    image, attention, unseen = landscape
    network = without_norms(generator(masks=masks))
    image.requires_grad_()
    logits = network(image, attention).logits
    class_activation_loss(logits, -logits).backward()
    assert image.grad[..., unseen].any() == (masks is None)
    assert image.grad[..., 48:].any()


@pytest.mark.parametrize("masks", ["cam_input", "features"])
def test_what_stands_outside_the_mask_changes_nothing_that_is_masked(masks, landscape) -> None:
    image, attention, unseen = landscape
    network = without_norms(generator(masks=masks))
    other = image.clone()
    other[..., unseen] = torch.randn_like(other[..., unseen])
    one, another = network(image, attention), network(other, attention)
    same_logits, same_image = (torch.allclose(one[i], another[i], atol=1e-6) for i in (1, 0))
    assert (same_logits, same_image) == ((True, False) if masks == "cam_input" else (False, True))


def test_of_masked_features_nothing_is_left_but_the_mask_of_the_input(landscape) -> None:
    image, attention, _ = landscape
    nowhere = torch.zeros_like(attention)
    blind = generator(masks="features")
    assert torch.equal(blind(image, nowhere).image, blind(-image, nowhere).image)
    assert not blind(image, attention).heat_map[..., :12].any()
    keeping = generator(masks="features", num_masks=2, keeps_input=True)
    for left, right in zip(keeping(image, nowhere)[2:], keeping(-image, nowhere)[2:], strict=True):
        assert torch.equal(left, right)
    assert not torch.equal(keeping(image, nowhere).image, keeping(-image, nowhere).image)


@pytest.mark.parametrize("masks", ["cam_input", "features"])
def test_an_image_without_background_is_drawn_as_if_nothing_were_masked(masks, landscape) -> None:
    image, attention, _ = landscape
    network = generator(masks=masks)
    whole, plain = network(image, torch.ones_like(attention)), network(image)
    assert torch.equal(whole.image, plain.image)
    assert torch.equal(whole.logits, plain.logits)


def test_where_it_looks_is_shown_at_the_images_size(landscape) -> None:
    image, attention, _ = landscape
    network = generator(masks="features")
    shown = network.attention(image)
    assert shown.shape == (len(image), 1, *image.shape[-2:])
    assert shown.dtype == torch.float32
    assert shown.amin((1, 2, 3)).tolist() == [0] * len(image)
    assert shown.amax((1, 2, 3)).tolist() == [1] * len(image)
    assert not network.attention(image, torch.zeros_like(attention)).any()
    # The stretch keeps the order of the map's values.
    heat_map = network(image).heat_map
    coarse = F.interpolate(shown, heat_map.shape[-2:], mode="area")
    assert np.corrcoef(coarse.flatten().detach(), heat_map.flatten().detach())[0, 1] > 0.8


@pytest.mark.parametrize(("num_masks", "keeps_input"), [(1, True), (2, True), (3, False)])
def test_masks_of_its_own_put_the_image_together(num_masks, keeps_input) -> None:
    network = generator(num_masks=num_masks, keeps_input=keeps_input)
    image = torch.rand(2, 3, 16, 24) * 2 - 1
    drawn = network(image)
    assert drawn.image.shape == image.shape
    torch.testing.assert_close(drawn.masks.sum(1), torch.ones(2, 16, 24))
    if keeps_input:
        nn.init.zeros_(network.mask_branch[-1].weight)
        bias = torch.zeros(num_masks)
        bias[-1] = 99 if num_masks > 1 else -99
        network.mask_branch[-1].bias.data = bias
        torch.testing.assert_close(network(image).image, image)
        assert network.attention(image).max() < 1e-6


def test_squeeze_and_excitation_stands_in_every_block() -> None:
    def num_parameters(**changes) -> int:
        network = generator(num_blocks=2, **changes)
        return sum(parameter.numel() for parameter in network.parameters())

    per_block = 16 * 8 + 8 + 8 * 16 + 16 + 16 + 1
    assert num_parameters(squeeze_excitation=True) - num_parameters() == 4 * per_block


def test_every_weight_takes_part() -> None:
    network = generator((16, 16), num_masks=2, squeeze_excitation=True)
    drawn = network(torch.randn(2, 3, 16, 16))
    (drawn.image.mean() + drawn.logits.mean()).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
