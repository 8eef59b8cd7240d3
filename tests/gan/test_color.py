import colorsys

import pytest
import torch

from gan.color import hsl_to_rgb, hsv_to_rgb, rgb_to_hsl, rgb_to_hsv

RGB = torch.rand(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))
GREYS = torch.linspace(0, 1, 5).view(1, 1, 1, 5).expand(1, 3, 1, 5)


@pytest.mark.parametrize("rgb", [RGB, GREYS, torch.eye(3).view(1, 3, 3, 1)])
@pytest.mark.parametrize(("into", "back"), [(rgb_to_hsv, hsv_to_rgb), (rgb_to_hsl, hsl_to_rgb)])
def test_there_and_back(rgb, into, back) -> None:
    assert torch.allclose(back(into(rgb)), rgb, atol=1e-5)


def test_equals_the_standard_library() -> None:
    pixels = RGB.permute(0, 2, 3, 1).reshape(-1, 3)
    hsv = rgb_to_hsv(RGB).permute(0, 2, 3, 1).reshape(-1, 3)
    hsl = rgb_to_hsl(RGB).permute(0, 2, 3, 1).reshape(-1, 3)
    for pixel, as_hsv, as_hsl in zip(pixels.tolist(), hsv.tolist(), hsl.tolist(), strict=True):
        hue, lightness, saturation = colorsys.rgb_to_hls(*pixel)
        assert as_hsv == pytest.approx(colorsys.rgb_to_hsv(*pixel), abs=1e-5)
        assert as_hsl == pytest.approx((hue, saturation, lightness), abs=1e-5)
