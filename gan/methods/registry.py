"""Every method by its name in a config."""

from typing import NamedTuple

import torch

from gan.conditioning import DomainA
from gan.config import TrainConfig
from gan.methods.attention_cyclegan import AttentionCycleGAN, AttentionCycleGenerators
from gan.methods.attentiongan import AttentionGAN
from gan.methods.cut import CUT, CutGenerators
from gan.methods.cycle import CycleGenerators
from gan.methods.cyclegan import CycleGAN
from gan.methods.method import Generators, Method
from gan.methods.segback import SegBack, SegBackGenerators
from gan.methods.uaggan import Uaggan, UagganGenerators
from gan.methods.ugatit import UGATIT, UgatitGenerators
from gan.schedule import derived_seed
from gan.spectral import add_spectral_norm

__all__ = ["METHODS", "build_generators", "build_method"]


class MethodParts(NamedTuple):
    """What draws, and what trains it."""

    generators: type[Generators]
    """Made of (config, domain)."""
    method: type[Method]
    """Made of (config, domain, generators)."""


METHODS: dict[str, MethodParts] = {
    "attention_cyclegan": MethodParts(AttentionCycleGenerators, AttentionCycleGAN),
    "attentiongan": MethodParts(CycleGenerators, AttentionGAN),
    "cut": MethodParts(CutGenerators, CUT),
    "cyclegan": MethodParts(CycleGenerators, CycleGAN),
    "fastcut": MethodParts(CutGenerators, CUT),
    "segback": MethodParts(SegBackGenerators, SegBack),
    "uaggan": MethodParts(UagganGenerators, Uaggan),
    "ugatit": MethodParts(UgatitGenerators, UGATIT),
}


def build_generators(config: TrainConfig, domain: DomainA) -> Generators:
    """The networks that draw in the method that `config.method` names; their weights mean nothing yet."""
    return METHODS[config.method].generators(config, domain)


def build_method(config: TrainConfig, domain: DomainA) -> Method:
    """The method that `config.method` names, its weights drawn from `config.seed`."""
    seed = derived_seed(config.seed, "weights")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # for what PyTorch's own layers draw as they are made
        method = METHODS[config.method].method(config, domain, build_generators(config, domain))
        method.draw_weights(torch.Generator().manual_seed(seed))
        if config.discriminator.spectral_norm and config.method != "ugatit":  # it has a setting of its own
            add_spectral_norm(method.discriminators)
    return method
