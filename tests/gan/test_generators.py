import pytest
import torch

from gan.config import GeneratorConfig
from gan.generators import ResnetGenerator


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


def test_a_picture_does_not_depend_on_its_neighbours_in_the_batch() -> None:
    generator = ResnetGenerator(GeneratorConfig(width=4, num_blocks=1), 3, 3)
    images = torch.randn(3, 3, 16, 16)
    torch.testing.assert_close(generator(images)[1:2], generator(images[1:2]))
