"""Every method by its name in a config."""

import torch

from gan.config import NoiseConfig, TrainConfig
from gan.layers import init_weights
from gan.methods.attention_cyclegan import AttentionCycleGAN
from gan.methods.cyclegan import CycleGAN
from gan.methods.method import Method
from gan.schedule import derived_seed

__all__ = ["METHODS", "build_method"]

METHODS: dict[str, type[Method]] = {
    "attention_cyclegan": AttentionCycleGAN,
    "cyclegan": CycleGAN,
}


def build_method(config: TrainConfig, noise: NoiseConfig, channels_a: int) -> Method:
    """The method that `config.method` names, its weights drawn from `config.seed`.

    Args:
        config: the run's training section.
        noise: of the labels.
        channels_a: channels of the conditioning image.
    """
    method = METHODS[config.method](config, noise, channels_a)
    init_weights(method, torch.Generator().manual_seed(derived_seed(config.seed, "weights")))
    return method
