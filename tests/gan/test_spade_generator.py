import pytest
import torch

from gan.config import GeneratorConfig
from gan.spade_generator import SpadeGenerator


@pytest.fixture
def generator() -> SpadeGenerator:
    torch.manual_seed(0)
    return SpadeGenerator(GeneratorConfig(width=4, num_blocks=1, num_downsamplings=3), 5, 3)


def test_a_multiple_of_the_coarsest_scale_goes_in_and_a_picture_comes_out(generator) -> None:
    assert generator.size_multiple == 8
    picture = generator(torch.randn(2, 5, 24, 40))
    assert picture.shape == (2, 3, 24, 40)
    assert picture.abs().max() <= 1


def test_the_label_is_told_at_every_scale(generator) -> None:
    """A class of a single pixel, which the coarsest scale does not see, changes the picture there."""
    label = torch.full((1, 5, 24, 40), -1.0)
    label[:, 0] = 1
    other = label.clone()
    other[0, :, 13, 21] = torch.tensor([-1.0, 1, -1, -1, -1])
    difference = (generator(label) - generator(other)).abs()[0].amax(0)
    assert difference[13, 21] > 0
    assert difference[13, 21] > difference.mean()


def test_a_label_that_says_nothing_leaves_features_normalised(generator) -> None:
    """Equation 1: features pass where the networks of scale and shift draw 0, so the scale is around 1."""
    x, label = torch.randn(2, 32, 6, 10), torch.randn(2, 5, 6, 10)
    modulation = generator.blocks[0].norm_in
    for drawn in (modulation.scale, modulation.shift):
        torch.nn.init.zeros_(drawn.weight)
        torch.nn.init.zeros_(drawn.bias)
    torch.testing.assert_close(modulation(x, label), modulation.norm(x))
    torch.nn.init.constant_(modulation.scale.bias, 0.5)
    torch.testing.assert_close(modulation(x, label), 1.5 * modulation.norm(x))
    torch.nn.init.constant_(modulation.shift.bias, 0.25)
    torch.testing.assert_close(modulation(x, label), 1.5 * modulation.norm(x) + 0.25)


def test_noise_on_the_label_makes_variants(generator) -> None:
    label = torch.rand(1, 5, 24, 40)
    assert not torch.equal(generator(label), generator(label * 0.9))
