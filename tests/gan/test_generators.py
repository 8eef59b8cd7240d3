import pytest
import torch
from pydantic import ValidationError

from gan.config import GeneratorConfig
from gan.generators import MaskedGenerator, ResnetGenerator, SoftmaxMaskGenerator, build_generator


@pytest.mark.parametrize(
    ("num_blocks", "num_parameters"), [(6, 7_837_699), (9, 11_378_179), (16, 19_639_299)]
)
@pytest.mark.parametrize("upsampling", ["resize", "transposed"])
def test_has_the_published_number_of_parameters(num_blocks, num_parameters, upsampling) -> None:
    generator = ResnetGenerator(GeneratorConfig(num_blocks=num_blocks, upsampling=upsampling), 3, 3)
    assert sum(parameter.numel() for parameter in generator.parameters()) == num_parameters


@pytest.mark.parametrize("upsampling", ["resize", "transposed"])
def test_keeps_height_and_width_and_stays_in_range(upsampling) -> None:
    config = GeneratorConfig(width=4, num_blocks=1, upsampling=upsampling)
    drawn = ResnetGenerator(config, 5, 3)(torch.randn(2, 5, 16, 28))
    assert drawn.shape == (2, 3, 16, 28)
    assert drawn.abs().max() <= 1
    assert drawn.dtype == torch.float32


def test_beyond_the_edge_downsampling_sees_a_reflection_or_zeros() -> None:
    """Of a constant image a reflection shows more of the same, which an instance norm makes 0."""
    config = GeneratorConfig(width=4, num_blocks=1)
    constant = torch.full((1, 4, 16, 16), 0.5)
    for padding, is_flat in (("reflect", True), ("zeros", False)):
        generator = ResnetGenerator(config.model_copy(update={"downsampling_padding": padding}), 3, 3)
        assert torch.allclose(generator.downs[0](constant), torch.zeros(1, 8, 8, 8), atol=1e-3) == is_flat


def test_a_picture_does_not_depend_on_its_neighbours_in_the_batch() -> None:
    generator = ResnetGenerator(GeneratorConfig(width=4, num_blocks=1), 3, 3)
    images = torch.randn(3, 3, 16, 16)
    torch.testing.assert_close(generator(images)[1:2], generator(images[1:2]))


@pytest.mark.parametrize("num_masks", [0, 3])
def test_a_skip_connection_alone_keeps_what_is_thin_in_its_place(num_masks) -> None:
    """With the decoder's half of the head at zero, a pixel reaches only what two 7x7 convolutions see."""
    config = GeneratorConfig(width=4, num_blocks=1, num_masks=num_masks, skip_connection=True)
    generator = build_generator(config, 3, 3)
    with torch.no_grad():
        generator.head.weight[:, :4] = 0
        generator.stem[1] = torch.nn.Identity()  # a norm would let a pixel reach all others
    image = torch.zeros(1, 3, 32, 32, requires_grad=True)
    fine, coarse = generator.encode(image)
    generator.decode(fine, coarse)[0, :, 16, 20].sum().backward()
    reached = image.grad.abs().sum((0, 1)).nonzero()
    assert len(reached)
    assert ((reached - torch.tensor([16, 20])).abs() <= 6).all()


def test_without_a_skip_connection_the_head_sees_the_decoder_alone() -> None:
    plain, skips = (
        build_generator(GeneratorConfig(width=4, num_blocks=1, skip_connection=skips), 3, 3)
        for skips in (False, True)
    )
    assert plain.head.in_channels == 4
    assert skips.head.in_channels == 8


MASKS = [(1, True), (3, True), (2, False)]


def masked(num_masks: int, keeps_input: bool, **settings: object) -> MaskedGenerator:
    config = GeneratorConfig(width=4, num_blocks=1, num_masks=num_masks, keeps_input=keeps_input, **settings)
    return build_generator(config, 3, 3)


@pytest.mark.parametrize("upsampling", ["resize", "transposed"])
def test_ten_masks_have_the_published_number_of_parameters(upsampling) -> None:
    config = GeneratorConfig(num_masks=10, keeps_input=True, upsampling=upsampling)
    generator = build_generator(config, 3, 3)
    assert sum(parameter.numel() for parameter in generator.parameters()) == 11_822_949


def test_a_tenth_content_costs_three_channels_and_one_sigmoid_mask_one() -> None:
    channel = 64 * 7 * 7 + 1
    for config, num_parameters in (
        (GeneratorConfig(num_masks=10), 11_822_949 + 3 * channel),
        (GeneratorConfig(num_masks=1, keeps_input=True), 11_378_179 + channel),
    ):
        generator = build_generator(config, 3, 3)
        assert sum(parameter.numel() for parameter in generator.parameters()) == num_parameters


@pytest.mark.parametrize(("num_masks", "keeps_input"), MASKS)
def test_masks_are_shares_and_the_image_is_the_same_with_and_without_them(num_masks, keeps_input) -> None:
    image = torch.rand(2, 3, 16, 28) * 2 - 1
    generator = masked(num_masks, keeps_input)
    drawn = generator.draw(image)
    assert drawn.image.shape == image.shape
    assert drawn.image.abs().max() <= 1 + 1e-6
    assert drawn.masks.shape == (2, num_masks, 16, 28)
    assert drawn.masks.min() >= 0
    assert drawn.masks.max() <= 1
    if num_masks > 1:
        torch.testing.assert_close(drawn.masks.sum(1), torch.ones(2, 16, 28))
    assert torch.equal(generator(image), drawn.image)
    by_masks = {(1, True): drawn.masks, (3, True): drawn.masks[:, :2].sum(1, keepdim=True)}
    if keeps_input:  # the share of all that is not the input
        torch.testing.assert_close(generator.attention(image), by_masks[num_masks, keeps_input])
    else:
        assert generator.attention(image) is None


def leave_all_to_the_input(generator: MaskedGenerator) -> None:
    if isinstance(generator, SoftmaxMaskGenerator):
        head, logits = generator.mask_head, torch.tensor([-99.0, -99.0, 99.0])
    else:
        head, logits = generator.head, torch.tensor([-99.0, 0.0, 0.0, 0.0])
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(logits)


@pytest.mark.parametrize("num_masks", [1, 3])
def test_attention_0_returns_the_input(num_masks) -> None:
    image = torch.rand(2, 3, 16, 28) * 2 - 1
    generator = masked(num_masks, keeps_input=True)
    assert not torch.allclose(generator(image), image, atol=1e-2)
    leave_all_to_the_input(generator)
    torch.testing.assert_close(generator(image), image, rtol=0, atol=1e-6)
    assert generator.attention(image).max() < 1e-6
    with torch.autocast("cpu", torch.bfloat16):  # the input is not rounded on its way
        torch.testing.assert_close(generator(image), image, rtol=0, atol=1e-6)


def test_a_mask_shows_its_content() -> None:
    """One mask for the second of two contents, whose channels are 3 to 5 of the head."""
    generator = masked(2, keeps_input=False)
    with torch.no_grad():
        generator.mask_head.weight.zero_()
        generator.mask_head.bias.copy_(torch.tensor([-99.0, 99.0]))
        generator.head.weight.zero_()
        generator.head.bias.copy_(torch.tensor([9.0, 9.0, 9.0, -0.1, 0.2, 0.3]))
    drawn = generator(torch.rand(1, 3, 16, 16))
    expected = torch.tensor([-0.1, 0.2, 0.3]).tanh().view(1, 3, 1, 1).expand_as(drawn)
    torch.testing.assert_close(drawn, expected)


def test_other_channels_in_than_out_leave_no_input_to_keep() -> None:
    config = GeneratorConfig(width=4, num_blocks=1, num_masks=3)
    assert build_generator(config, 5, 3)(torch.randn(1, 5, 16, 16)).shape == (1, 3, 16, 16)
    with pytest.raises(ValueError, match="keeps_input"):
        build_generator(config.model_copy(update={"keeps_input": True}), 5, 3)


@pytest.mark.parametrize(("num_masks", "keeps_input"), [(0, True), (1, False)])
def test_masks_without_use_are_refused(num_masks, keeps_input) -> None:
    with pytest.raises(ValidationError, match="keeps_input"):
        GeneratorConfig(num_masks=num_masks, keeps_input=keeps_input)


@pytest.mark.parametrize(("num_masks", "keeps_input"), [(0, False), *MASKS])
def test_every_weight_learns(num_masks, keeps_input) -> None:
    generator = masked(num_masks, keeps_input, squeeze_excitation=True)
    generator(torch.randn(1, 3, 16, 16)).square().mean().backward()
    assert all(parameter.grad is not None for parameter in generator.parameters())


def test_squeeze_excitation_is_in_each_residual_block() -> None:
    config = GeneratorConfig(width=4, num_blocks=3)
    plain, gated = (
        build_generator(config.model_copy(update={"squeeze_excitation": on}), 3, 3) for on in (False, True)
    )
    extra = set(gated.state_dict()) - set(plain.state_dict())
    assert {name.split(".")[1] for name in extra} == {"0", "1", "2"}
