import pytest
import torch

from gan.conditioning import DomainA
from gan.config import NoiseConfig, TrainConfig
from gan.data import from_uint8, pad_to_multiple, to_uint8
from gan.methods.registry import build_generators


def test_every_level_comes_back() -> None:
    levels = torch.arange(256, dtype=torch.uint8).view(1, 16, 16, 1)
    assert torch.equal(to_uint8(from_uint8(levels)), levels)


def test_padding_repeats_the_right_and_lower_edge() -> None:
    image = torch.rand(2, 3, 18, 21)
    padded = pad_to_multiple(image, 8)
    assert padded.shape == (2, 3, 24, 24)
    assert torch.equal(padded[..., :18, :21], image)
    assert torch.equal(padded[..., :18, 21:], image[..., -1:].expand(-1, -1, -1, 3))
    assert torch.equal(padded[..., 18:, :], padded[..., 17:18, :].expand(-1, -1, 6, -1))


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "cyclegan"},
        {"method": "uaggan", "uaggan": {"attention_width": 4}},
        {"method": "ugatit", "ugatit": {"light": True}},
        {"method": "segback", "segback": {"segmenter_width": 4}},
        {"method": "segback", "segback": {"generator": "spade", "segmenter_width": 4}},
    ],
    ids=["cyclegan", "uaggan", "ugatit", "segback", "spade"],
)
@pytest.mark.parametrize("num_downsamplings", [1, 3, 4])
def test_the_smallest_images_pass_the_deepest_networks(changes, num_downsamplings) -> None:
    generator = {"width": 4, "num_blocks": 1, "num_downsamplings": num_downsamplings}
    config = TrainConfig(**changes, generator=generator)
    generators = build_generators(config, DomainA(3, 3, NoiseConfig(amount=0)))
    for height, width in ((1, 1), (16, 16), (3, 17)):
        image = pad_to_multiple(torch.rand(1, 3, height, width), generators.size_multiple)
        attention = torch.ones_like(image[:, :1])
        assert (
            generators.draw_b(image, attention, image).shape == generators.draw_a(image).shape == image.shape
        )
