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


@pytest.mark.parametrize("amount", [0.0, 0.2, 0.5, 0.9])
def test_onehot_noise_leaves_a_little_of_every_class_and_the_class_itself_the_largest(amount) -> None:
    level = (torch.arange(256) / 127.5 - 1).expand(1, 1, 1, 256)
    image = torch.full((1, 5, 1, 256), -1.0)
    image[:, 2] = 1
    shares = (noise_onehot(image, level, NoiseConfig(amount=amount)) + 1) / 2
    taken = amount * level.abs()
    spread = torch.minimum(taken, 1 - taken) / 2
    torch.testing.assert_close(shares.sum(1, keepdim=True), 1 - taken + spread)
    assert (shares.argmax(1) == 2).all()
    others = shares[:, [0, 1, 3, 4]]
    assert others.min() >= 0
    if amount:
        assert (others[..., taken[0, 0, 0] > 0.1] > 0).all()
        # Classes get equal shares in the mean, and others at every level.
        assert (others.mean((0, 2, 3)) / others.mean() - 1).abs().max() < 0.25
        same_share, other_level = others[0, :, 0, 0], others[0, :, 0, 255]
        assert (same_share - other_level).abs().max() > 0.1 * same_share.max()


def test_onehot_noise_hides_that_a_drawn_class_is_not_quite_pure() -> None:
    """The other classes' share of a drawn pixel lies within what the noise leaves of them on a label."""
    level = (torch.randint(0, 256, (1, 1, 64, 64), generator=torch.Generator().manual_seed(0)) / 127.5) - 1
    hard, soft = torch.full((2, 1, 4, 64, 64), -1.0)
    hard[:, 0] = 1
    soft[:, 0], soft[:, 1] = 0.96, -0.96
    of_label, of_drawn = (noise_onehot(image, level, NoiseConfig(amount=0.3))[0, 1] for image in (hard, soft))
    difference = (of_drawn.mean() - of_label.mean()).abs()
    assert difference < of_label.std()
