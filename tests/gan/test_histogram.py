import pytest
import torch

from gan.histogram import match_histograms

RANDOM = torch.Generator().manual_seed(0)
IMAGE = torch.rand(2, 3, 8, 6, generator=RANDOM) * 2 - 1
REFERENCE = torch.rand(2, 3, 8, 6, generator=RANDOM) - 0.9


def test_the_result_has_the_references_values_in_the_images_order() -> None:
    matched = match_histograms(IMAGE, REFERENCE, space="rgb")
    assert torch.allclose(matched.flatten(2).sort(2).values, REFERENCE.flatten(2).sort(2).values, atol=1e-6)
    assert torch.equal(matched.flatten(2).argsort(2), IMAGE.flatten(2).argsort(2))


@pytest.mark.parametrize("space", ["rgb", "hsv", "hsl"])
def test_an_image_matched_to_itself_stays(space) -> None:
    assert torch.allclose(match_histograms(IMAGE, IMAGE, space=space), IMAGE, atol=1e-5)


@pytest.mark.parametrize("space", ["rgb", "hsv", "hsl"])
def test_the_ratio_blends(space) -> None:
    whole = match_histograms(IMAGE, REFERENCE, space=space)
    assert whole.abs().max() <= 1
    half = match_histograms(IMAGE, REFERENCE, space=space, ratio=0.5)
    assert torch.allclose(half, (whole + IMAGE) / 2, atol=1e-6)


def test_value_alone_can_be_seen_in_hsv() -> None:
    matched = match_histograms(IMAGE, REFERENCE, space="hsv")
    brightest = ((matched + 1) / 2).amax(1).flatten(1).sort(1).values
    assert torch.allclose(brightest, ((REFERENCE + 1) / 2).amax(1).flatten(1).sort(1).values, atol=1e-5)
