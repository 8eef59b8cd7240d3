import numpy as np
import pytest
import torch

from gan.conditioning import Conditioning, LabelSpec, draw_noise_field
from gan.config import NoiseConfig
from gan.latent import latent_map

HALVES = torch.tensor([0, 2], dtype=torch.uint8).repeat_interleave(12)[None, :, None]


def images(
    label_map: torch.Tensor, seed: int, *, amount: float = 0.3, correlation_px: float = 0
) -> torch.Tensor:
    nothing = np.zeros(3, bool)
    labels = LabelSpec(np.zeros((3, 256, 3), np.uint8), nothing, nothing, NoiseConfig(amount=amount), {})
    random = torch.Generator().manual_seed(seed)
    noise = draw_noise_field(*label_map.shape, correlation_px=correlation_px, generator=random)
    return Conditioning(labels, "onehot")(label_map, noise).image_a


@pytest.mark.parametrize("correlation_px", [0, 4])
def test_a_class_has_numbers_that_are_normally_distributed_over_noise(correlation_px) -> None:
    latent = latent_map(images(HALVES.expand(400, 24, 32), 0, correlation_px=correlation_px), 3)
    assert latent.shape == (400, 3, 24, 32)
    upper, lower = latent[..., :12, :], latent[..., 12:, :]
    for part in (upper, lower):
        torch.testing.assert_close(part, part[..., :1, :1].expand_as(part))
    numbers = torch.cat([upper[..., 0, 0], lower[..., 0, 0]], 1)
    assert numbers.mean(0).abs().max() < 0.25
    assert numbers.std(0).sub(1).abs().max() < 0.35
    dependence = (torch.corrcoef(numbers.T) - torch.eye(6)).abs().max()
    assert dependence < (0.5 if correlation_px else 0.2)


def test_other_noise_gives_every_class_other_numbers() -> None:
    one, other = (latent_map(images(HALVES.expand(2, 24, 32), seed), 4) for seed in (1, 2))
    assert (one - other).abs().min() > 1e-3


def test_an_image_has_the_same_in_any_batch() -> None:
    image = images(HALVES.expand(3, 24, 32), 0)
    assert torch.equal(latent_map(image, 4)[1:2], latent_map(image[1:2], 4))


def test_without_noise_all_are_zero() -> None:
    assert latent_map(images(HALVES.expand(1, 24, 32), 0, amount=0), 4).abs().max() == 0
