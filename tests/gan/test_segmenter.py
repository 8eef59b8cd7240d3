"""The segmenter: logits of the image's size, no talk between images, and it learns what it is shown."""

import pytest
import torch
import torch.nn.functional as F

from gan.segmenter import Segmenter


@pytest.mark.parametrize("norm", ["group", "instance"])
@pytest.mark.parametrize("size", [(16, 16), (17, 33), (16, 24), (9, 50)])
def test_logits_have_the_size_of_the_image(norm: str, size: tuple[int, int]) -> None:
    segmenter = Segmenter(5, 3, width=4, norm=norm)
    image = torch.randn(2, 5, *size, requires_grad=True)
    logits = segmenter(image)
    assert logits.shape == (2, 3, *size)
    assert logits.dtype == torch.float32
    logits.square().mean().backward()
    assert image.grad.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in segmenter.parameters())


def test_its_levels_shrink_to_the_stated_multiple_and_width() -> None:
    segmenter = Segmenter(3, 2, width=4, num_downsamplings=3)
    levels = segmenter.encode(torch.zeros(1, 3, 16, 32))
    assert [level.shape[-2:] for level in levels] == [(16, 32), (8, 16), (4, 8), (2, 4)]
    assert levels[-1].shape[1] == segmenter.feature_channels == 32
    assert segmenter.size_multiple == 8


@pytest.mark.parametrize("norm", ["group", "instance"])
def test_an_image_does_not_depend_on_its_neighbours_in_the_batch(norm: str) -> None:
    segmenter = Segmenter(3, 2, width=4, norm=norm)
    images = torch.randn(3, 3, 32, 32)
    torch.testing.assert_close(segmenter(images)[1:2], segmenter(images[1:2]))


def test_its_first_weights_follow_from_the_generator_and_tell_no_class_apart() -> None:
    drawn = []
    for seed in (0, 0, 1):
        segmenter = Segmenter(3, 4, width=8)
        segmenter.draw_weights(torch.Generator().manual_seed(seed))
        drawn.append(segmenter(torch.linspace(-1, 1, 3 * 32 * 32).reshape(1, 3, 32, 32)))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert drawn[0].abs().max() < 1


def test_it_learns_to_tell_red_from_green() -> None:
    torch.manual_seed(0)
    segmenter = Segmenter(3, 2, width=4, num_downsamplings=2)
    optimizer = torch.optim.Adam(segmenter.parameters(), 1e-2)
    labels = torch.randint(0, 2, (4, 1, 4, 4)).float()
    labels = F.interpolate(labels, scale_factor=4)[:, 0].long()
    images = torch.stack([labels, 1 - labels, torch.zeros_like(labels)], 1).float() * 2 - 1
    for _ in range(40):
        optimizer.zero_grad()
        F.cross_entropy(segmenter(images), labels).backward()
        optimizer.step()
    assert (segmenter(images).argmax(1) == labels).float().mean() > 0.99
