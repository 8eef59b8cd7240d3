"""Inception weights: used when they are what the config names, refused otherwise."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pipeline.config import ConfigError
from pipeline.evaluation import inception
from pipeline.evaluation.config import InceptionConfig
from pipeline.evaluation.inception import InceptionFeatures

CPU = torch.device("cpu")
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 16, 24, 3), dtype=np.uint8)


class ChannelMeans(nn.Module):
    """Features that one can compute by hand."""

    def forward(self, image: Tensor, return_features: bool = False) -> Tensor:
        assert image.dtype == torch.uint8
        return image.float().mean(dim=(2, 3)) if return_features else image.float()


class Little(nn.Module):
    """Stands in for torchvision's network, which is large."""

    def __init__(self, **options: object):
        super().__init__()
        self.options = options
        self.conv = nn.Conv2d(3, 5, 1)
        self.fc = nn.Linear(5, 2)

    def forward(self, image: Tensor) -> Tensor:
        assert image.shape[-2:] == (299, 299)
        assert -1 <= image.min() <= image.max() <= 1
        return self.fc(self.conv(image).mean((2, 3)))


def named(path: Path) -> InceptionConfig:
    return InceptionConfig(path=path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.mark.filterwarnings("ignore:.torch.jit")
def test_a_script_gives_its_features(tmp_path: Path) -> None:
    path = tmp_path / "script.pt"
    torch.jit.script(ChannelMeans()).save(str(path))
    found = InceptionFeatures(named(path), device=CPU)(IMAGES)
    np.testing.assert_allclose(found, IMAGES.mean((1, 2)), rtol=1e-5)


def test_a_state_dict_gives_what_comes_before_the_last_layer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inception, "inception_v3", Little)
    path, network = tmp_path / "state.pth", Little()
    torch.save(network.state_dict(), path)
    found = InceptionFeatures(named(path), device=CPU)(IMAGES)
    assert found.shape == (3, 5)
    with torch.no_grad():
        mean = torch.from_numpy(IMAGES.mean((1, 2)) / 127.5 - 1).float()
        by_hand = network.conv(mean[..., None, None])[..., 0, 0]
    np.testing.assert_allclose(found, by_hand, atol=0.02)  # resizing weighs the edges a little more


def test_torchvision_has_a_network_whose_last_layer_is_fc() -> None:
    """What the stand-in above stands for; its 27 million weights stay on the meta device."""
    with torch.device("meta"):
        network = inception.inception_v3(weights=None, transform_input=False, init_weights=False)
    assert network.fc.in_features == 2048


def test_a_path_is_relative_to_the_config(tmp_path: Path, tiny_config: Callable) -> None:
    config = tiny_config(tmp_path, evaluate={"inception": {"path": "weights.pth", "sha256": "0" * 64}})
    assert config.evaluate.inception.path == tmp_path / "weights.pth"


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    with pytest.raises(ConfigError, match="cannot be read"):
        InceptionFeatures(InceptionConfig(path=path, sha256="0" * 64), device=CPU)
    path.write_bytes(b"no weights")
    with pytest.raises(ConfigError, match="has sha256"):
        InceptionFeatures(InceptionConfig(path=path, sha256="0" * 64), device=CPU)
    with pytest.raises(ConfigError, match="was wanted"):
        InceptionFeatures(named(path), device=CPU)
