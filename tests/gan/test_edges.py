import torch

from gan.edges import REACH_PX, blur_edges


def step() -> torch.Tensor:
    image = torch.full((1, 3, 12, 40), -0.8)
    image[..., 20:] = 0.8
    return image


def test_edges_become_soft_and_the_rest_stays() -> None:
    image = step()
    blurred = blur_edges(image)
    near = slice(20 - REACH_PX - 1, 20 + REACH_PX + 1)
    far = torch.ones(40, dtype=torch.bool)
    far[near] = False
    assert torch.equal(blurred[..., far], image[..., far])
    steepest = blurred.diff(dim=3).abs()[..., 19].max()
    assert steepest < 0.5 * image.diff(dim=3).abs().max()


def test_an_image_without_edges_stays_as_it_is() -> None:
    smooth = torch.linspace(-1, 1, 40).expand(2, 3, 12, 40)
    assert torch.equal(blur_edges(smooth), smooth)


def test_values_stay_in_range() -> None:
    image = torch.rand(2, 3, 9, 11, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert blur_edges(image).abs().max() <= 1
