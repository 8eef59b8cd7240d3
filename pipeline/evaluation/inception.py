"""Features of an Inception network whose weights the user supplies; none are fetched, and none stand in."""

import hashlib
import pickle
import zipfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import inception_v3

from pipeline.config import ConfigError
from pipeline.evaluation.config import InceptionConfig

__all__ = ["InceptionFeatures"]

BATCH = 16
INPUT_SIDE = 299


class InceptionFeatures:
    """The pooled features that KID and FID compare.

    Two kinds of file are known:
    - a state dict of `torchvision.models.inception_v3`, saved by `torch.save`. Images are resized to 299 x
      299 with antialiasing; the features are the 2048 before the last layer. The network's training is not
      that of the FID paper's: such figures compare with each other only.
    - a TorchScript file that maps uint8 [N, 3, H, W] RGB and `return_features=True` to float [N, D], as
      StyleGAN's copy of the FID paper's network does.

    Args:
        config: the file and its hash.
        device: where to compute.

    Raises:
        ConfigError: the file is missing, has another hash, or is neither of both kinds.
    """

    def __init__(self, config: InceptionConfig, *, device: torch.device):
        _check_hash(config)
        self._device = device
        self._is_script = _is_script(config.path)
        try:
            network = (
                torch.jit.load(str(config.path), map_location=device)
                if self._is_script
                else _torchvision_network(config.path)
            )
        except (RuntimeError, pickle.UnpicklingError, KeyError, TypeError, AttributeError, EOFError) as error:
            reason = str(error).partition("\n")[0]
            raise ConfigError(
                f"evaluate.inception.path {config.path} cannot be used ({reason}); a state dict of "
                "torchvision.models.inception_v3 or a TorchScript file was wanted."
            ) from None
        self._network = network.eval().to(device)

    @torch.inference_mode()
    def __call__(self, images: np.ndarray) -> np.ndarray:
        """uint8 [N, H, W, 3] RGB -> float64 [N, D]."""
        found = []
        for start in range(0, len(images), BATCH):
            batch = torch.from_numpy(np.ascontiguousarray(images[start : start + BATCH])).to(self._device)
            found.append(self._features(batch.permute(0, 3, 1, 2)).double().cpu().numpy())
        return np.concatenate(found)

    def _features(self, image: Tensor) -> Tensor:
        if self._is_script:
            return self._network(image, return_features=True)
        resized = F.interpolate(
            image.float(), (INPUT_SIDE, INPUT_SIDE), mode="bilinear", align_corners=False, antialias=True
        )
        return self._network(resized / 127.5 - 1)


def _check_hash(config: InceptionConfig) -> None:
    try:
        with open(config.path, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(
            f"evaluate.inception.path {config.path} cannot be read: {error.strerror or error}."
        ) from None
    if found != config.sha256:
        raise ConfigError(
            f"evaluate.inception.path {config.path} has sha256 {found}, and evaluate.inception.sha256 is "
            f"{config.sha256}; name the file that was meant."
        )


def _is_script(path: Path) -> bool:
    """TorchScript files hold code; those of `torch.save` do not."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())


def _torchvision_network(path: Path) -> nn.Module:
    state = torch.load(path, map_location="cpu", weights_only=True)
    has_aux = any(name.startswith("AuxLogits.") for name in state)
    # It wants [-1, 1]; `transform_input` is for images normalised as ImageNet's.
    network = inception_v3(weights=None, aux_logits=has_aux, transform_input=False, init_weights=False)
    network.load_state_dict(state)
    network.fc = nn.Identity()
    return network
