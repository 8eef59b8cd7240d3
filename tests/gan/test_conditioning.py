import numpy as np
import pytest
import torch

from gan.conditioning import Conditioning, as_level, draw_noise_field
from gan.noise import noise_rgb


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_rgb_is_the_table_of_the_files(labels) -> None:
    label_map = torch.randint(0, 3, (2, 5, 7), dtype=torch.uint8, generator=random())
    noise = draw_noise_field(2, 5, 7, correlation_px=0, generator=random())
    image, _, _ = Conditioning(labels, "rgb")(label_map, noise)
    offline = labels.noise_table[label_map.numpy(), noise.numpy()]
    online = ((image + 1) * 127.5).round().permute(0, 2, 3, 1).numpy()
    assert np.array_equal(online, offline)


def test_the_mask_is_one_on_every_class_but_the_background(labels) -> None:
    label_map = torch.tensor([[[0, 1, 2]]], dtype=torch.uint8)
    for level in (0, 128, 255):  # the noise punches no holes in the mask
        _, _, attention = Conditioning(labels, "rgb")(label_map, torch.full_like(label_map, level))
        assert attention.flatten().tolist() == [0, 1, 1]


def test_onehot_lowers_the_hot_channel_only(labels) -> None:
    label_map = torch.tensor([[[1, 1, 1]]], dtype=torch.uint8)
    noise = torch.tensor([[[0, 128, 255]]], dtype=torch.uint8)
    image, _, _ = Conditioning(labels, "onehot")(label_map, noise)
    assert image.shape == (1, 3, 1, 3)
    assert image[0, 1, 0].tolist() == pytest.approx([0.6, 1.0, 0.6], abs=0.01)  # 1 - 2 * 0.2
    assert (image[0, [0, 2]] == -1).all()


@pytest.mark.parametrize("correlation_px", [0, 5, 40])
def test_noise_levels_are_uniform_at_every_pixel(correlation_px) -> None:
    noise = draw_noise_field(3000, 9, 11, correlation_px=correlation_px, generator=random()).float()
    assert noise.min() == 0
    assert noise.max() == 255
    assert noise.mean(0).sub(127.5).abs().max() < 8  # standard error 1.35
    assert noise.std(0).sub(73.9).abs().max() < 5


def test_correlation_makes_neighbours_alike() -> None:
    def difference(correlation_px: float) -> float:
        noise = draw_noise_field(50, 32, 32, correlation_px=correlation_px, generator=random()).float()
        return noise.diff(dim=-1).abs().mean().item()

    assert difference(16) < difference(4) < difference(0) / 2


def test_the_clean_image_is_within_a_level_of_the_palette_whatever_the_noise(labels) -> None:
    label_map = torch.tensor([[[0, 1, 2]]], dtype=torch.uint8)
    for level in (0, 255):
        _, clean, _ = Conditioning(labels, "rgb")(label_map, torch.full_like(label_map, level))
        colors = ((clean + 1) * 127.5).round().permute(0, 2, 3, 1)[0, 0].numpy()
        assert np.abs(colors - labels.noise_table[:, 128].astype(float)).max() <= 1


def test_a_render_gets_the_noise_and_the_label_gives_the_mask(labels) -> None:
    label_map = torch.randint(0, 3, (2, 5, 7), dtype=torch.uint8, generator=random())
    noise = draw_noise_field(2, 5, 7, correlation_px=0, generator=random())
    render = torch.rand(2, 3, 5, 7, generator=random()) * 2 - 1
    conditioning = Conditioning(labels, "render")
    image, clean, attention = conditioning(label_map, noise, render)
    assert torch.equal(clean, render)
    assert torch.equal(image, noise_rgb(render, noise.unsqueeze(1) / 127.5 - 1, labels.noise))
    assert not torch.equal(image, clean)
    assert torch.equal(attention, Conditioning(labels, "rgb")(label_map, noise).attention_a)
    assert conditioning.channels == 3


def test_levels_of_noise_reach_from_minus_one_to_one() -> None:
    assert as_level(torch.tensor([[[0, 255]]], dtype=torch.uint8)).flatten().tolist() == [-1, 1]
