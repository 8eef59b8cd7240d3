import colorsys

import pytest
import torch

from gan.config import NoiseConfig
from gan.noise import noise_onehot, noise_rgb

NOISE = NoiseConfig(amount=0.4)


def pixel(*channels: float) -> torch.Tensor:
    return torch.tensor(channels).view(1, -1, 1, 1) * 2 - 1


@pytest.mark.parametrize("level", [-1.0, -0.3, 0.0, 0.5, 1.0])
@pytest.mark.parametrize("color", [(0.0, 1.0, 0.0), (0.9, 0.5, 0.1), (0.2, 0.1, 0.6)])
def test_moves_saturation_and_neither_hue_nor_value(color, level) -> None:
    noised = (noise_rgb(pixel(*color), torch.full((1, 1, 1, 1), level), NOISE) + 1) / 2
    hue, saturation, value = colorsys.rgb_to_hsv(*color)
    wanted = colorsys.hsv_to_rgb(hue, min(max(saturation + 0.4 * level, 0), 1), value)
    assert noised.flatten().tolist() == pytest.approx(wanted, abs=1e-5)


def test_hsv_tints_white_red_as_labels_are() -> None:
    noised = noise_rgb(
        pixel(1.0, 1.0, 1.0), torch.ones(1, 1, 1, 1), NoiseConfig(amount=0.4, achromatic="hsv")
    )
    assert ((noised + 1) / 2).flatten().tolist() == pytest.approx([1.0, 0.6, 0.6])


def test_what_is_almost_black_hardly_moves() -> None:
    noised = noise_rgb(pixel(0.004, 0.003, 0.004), torch.ones(1, 1, 1, 1), NOISE)
    assert ((noised + 1) / 2).max() < 3 / 255 + 0.004


@pytest.mark.parametrize("level", [-1.0, 1.0])
def test_white_and_grey_get_brightness_and_no_hue_and_black_stays(level) -> None:
    for brightness in (1.0, 0.5, 0.0):
        noised = noise_rgb(pixel(*[brightness] * 3), torch.full((1, 1, 1, 1), level), NOISE)
        wanted = min(max(brightness + 0.4 * level, 0), 1) if brightness else 0.0
        assert ((noised + 1) / 2).flatten().tolist() == pytest.approx([wanted] * 3, abs=1e-6)


def test_zero_amount_changes_nothing_and_gradients_pass() -> None:
    image = (torch.rand(2, 3, 4, 4) * 2 - 1).requires_grad_()
    level = torch.rand(2, 1, 4, 4) * 2 - 1
    torch.testing.assert_close(noise_rgb(image, level, NoiseConfig(amount=0)), image)
    noise_rgb(image, level, NOISE).sum().backward()
    assert image.grad.isfinite().all()
    assert image.grad.abs().sum() > 0


def test_onehot_lowers_the_hot_channel_only() -> None:
    noised = noise_onehot(pixel(0.0, 1.0, 0.0), torch.full((1, 1, 1, 1), -1.0), NOISE)
    assert noised.flatten().tolist() == pytest.approx([-1.0, 1 - 2 * 0.4, -1.0])
