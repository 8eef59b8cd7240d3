import pytest
import torch

from gan.attention_networks import AttentionNetwork


@pytest.mark.parametrize(("width", "number"), [(64, 602_368), (32, 153_728)])
def test_has_the_published_number_of_parameters(width, number) -> None:
    network = AttentionNetwork(3, width)
    assert sum(parameter.numel() for parameter in network.parameters()) == number


@pytest.mark.parametrize(("height", "width"), [(16, 24), (18, 22), (17, 31)])
def test_a_mask_is_as_large_as_its_image_and_between_0_and_1(height, width) -> None:
    attention = AttentionNetwork(3, 4)(torch.randn(2, 3, height, width))
    assert attention.shape == (2, 1, height, width)
    assert attention.min() > 0
    assert attention.max() < 1


def test_a_mask_differs_from_place_to_place() -> None:
    attention = AttentionNetwork(3, 4)(torch.randn(1, 3, 16, 24))
    assert attention.std() > 1e-3


def test_what_an_image_attends_to_does_not_depend_on_its_batch() -> None:
    network, images = AttentionNetwork(3, 4), torch.randn(2, 3, 16, 24)
    assert torch.allclose(network(images)[1:], network(images[1:]), atol=1e-6)
