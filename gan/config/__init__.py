"""Configuration of networks and training. Imports no torch: checking a config takes no seconds."""

from gan.config.applies import require_effects
from gan.config.base import StrictModel
from gan.config.losses import LossWeights
from gan.config.methods import AttentionganConfig, CutConfig, SegbackConfig, UagganConfig, UgatitConfig
from gan.config.networks import DiscriminatorConfig, GeneratorConfig
from gan.config.noise import NoiseConfig
from gan.config.options import BackgroundConfig, ClassCropsConfig, HistogramConfig
from gan.config.train import RESUMABLE_CHANGES, TrainConfig

__all__ = [
    "AttentionganConfig",
    "BackgroundConfig",
    "ClassCropsConfig",
    "CutConfig",
    "DiscriminatorConfig",
    "GeneratorConfig",
    "HistogramConfig",
    "LossWeights",
    "NoiseConfig",
    "RESUMABLE_CHANGES",
    "SegbackConfig",
    "StrictModel",
    "TrainConfig",
    "UagganConfig",
    "UgatitConfig",
    "require_effects",
]
