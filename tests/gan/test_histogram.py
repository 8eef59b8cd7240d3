import pytest
import torch

from gan.config import HistogramConfig
from gan.histogram import match_domains, match_histograms

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


def test_chance_decides_whether_and_which_way() -> None:
    config = HistogramConfig(space="rgb", probability=0.6, to_b_probability=0.25)
    found = [match_domains(IMAGE, REFERENCE, config, seed=seed) for seed in range(400)]
    changed = [(one is not IMAGE, two is not REFERENCE) for one, two in found]
    assert (True, True) not in changed
    assert abs(changed.count((True, False)) - 60) < 30  # 400 * 0.6 * 0.25
    assert abs(changed.count((False, True)) - 180) < 40
    again = match_domains(IMAGE, REFERENCE, config, seed=3)
    assert all(torch.equal(one, two) for one, two in zip(found[3], again, strict=True))


def test_no_chance_changes_nothing() -> None:
    for seed in range(20):
        one, two = match_domains(IMAGE, REFERENCE, HistogramConfig(), seed=seed)
        assert one is IMAGE and two is REFERENCE
