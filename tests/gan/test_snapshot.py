import math

import numpy as np
import pytest
import torch
from torch import nn

from gan.snapshot import Snapshot, SnapshotError


@pytest.fixture
def snapshot(labels, small_config) -> Snapshot:
    generators = nn.ModuleDict({"ab": nn.Conv2d(3, 3, 1), "ba": nn.Conv2d(3, 3, 1)})
    return Snapshot.of(generators, labels, small_config(), 128)


def test_a_round_trip_keeps_everything(snapshot) -> None:
    back = Snapshot.from_bytes(snapshot.to_bytes())
    assert back.info == snapshot.info
    assert back.tensors.keys() == snapshot.tensors.keys()
    assert all(torch.equal(back.tensors[name], snapshot.tensors[name]) for name in back.tensors)
    assert np.array_equal(back.labels.noise_table, snapshot.labels.noise_table)
    assert set(back.weights) == {"ab.weight", "ab.bias", "ba.weight", "ba.bias"}


def test_equal_snapshots_have_equal_bytes(snapshot) -> None:
    assert snapshot.to_bytes() == Snapshot.from_bytes(snapshot.to_bytes()).to_bytes()


def test_knows_when_a_weight_is_not_finite(snapshot) -> None:
    assert snapshot.is_finite()
    snapshot.tensors["ab.weight"][0] = math.nan
    assert not snapshot.is_finite()


@pytest.mark.parametrize("damage", [b"", b"no snapshot", b"\x80\x04pickle"])
def test_refuses_what_is_no_snapshot(damage) -> None:
    with pytest.raises(SnapshotError, match="no usable snapshot"):
        Snapshot.from_bytes(damage)


def test_refuses_a_truncated_snapshot(snapshot) -> None:
    with pytest.raises(SnapshotError, match="no usable snapshot"):
        Snapshot.from_bytes(snapshot.to_bytes()[:-10])
