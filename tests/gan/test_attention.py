import pytest
import torch

from gan.attention import BLACK, backdrop_of, composite

DRAWN, IMAGE_A, IMAGE_B = (torch.full((1, 3, 2, 2), value) for value in (0.5, -0.25, 0.75))


def test_attention_one_is_the_foreground_and_zero_the_background() -> None:
    assert torch.equal(composite(DRAWN, IMAGE_A, torch.ones(1, 1, 2, 2)), DRAWN)
    assert torch.equal(composite(DRAWN, IMAGE_A, torch.zeros(1, 1, 2, 2)), IMAGE_A)


@pytest.mark.parametrize(
    ("background", "outside"),
    [("keep", IMAGE_A), ("photo", IMAGE_B), ("mask_both", torch.full_like(DRAWN, BLACK))],
)
def test_what_stands_outside_the_mask(background, outside) -> None:
    backdrop = backdrop_of(background, clean_a=IMAGE_A, image_b=IMAGE_B)
    attention = torch.tensor([1.0, 0.0]).view(1, 1, 1, 2).expand(1, 1, 2, 2)
    placed = composite(DRAWN, backdrop, attention)
    assert torch.equal(placed[..., 0], DRAWN[..., 0])
    assert torch.equal(placed[..., 1], outside[..., 1])


def test_what_is_drawn_whole_has_no_backdrop() -> None:
    assert backdrop_of("generate", clean_a=IMAGE_A, image_b=IMAGE_B) is None


def test_black_has_the_channels_of_photographs() -> None:
    assert backdrop_of("mask_both", clean_a=torch.zeros(1, 6, 2, 2), image_b=None).shape == (1, 3, 2, 2)


def test_a_composite_never_leaves_the_range_of_images() -> None:
    attention = torch.rand(4, 1, 8, 8)
    image = composite(torch.rand(4, 3, 8, 8) * 2 - 1, torch.rand(4, 3, 8, 8) * 2 - 1, attention)
    assert image.abs().max() <= 1
