import torch
from torch import nn

from gan.ema import EMA


def test_moves_from_the_average_towards_the_current_weights() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 0.0)
    ema = EMA(network)
    nn.init.constant_(network.weight, 1.0)
    ema.update(0.75)
    assert ema.network.weight.item() == 0.25
    ema.update(0.0)
    assert ema.network.weight.item() == 1.0


def test_the_average_takes_no_gradient() -> None:
    assert not any(parameter.requires_grad for parameter in EMA(nn.Linear(2, 2)).network.parameters())


def test_copies_buffers() -> None:
    network = nn.BatchNorm1d(1)
    ema = EMA(network)
    network.running_mean.fill_(3.0)
    ema.update(0.9)
    assert torch.equal(ema.network.running_mean, network.running_mean)
