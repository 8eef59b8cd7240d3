"""The generators' benchmark runs at a small size, and all of its ways draw the same picture."""

from collections.abc import Callable

import pytest
import torch

from benchmarks import generator
from benchmarks.peers import PeerDiscriminator, PeerGenerator


@pytest.fixture(scope="module")
def found(run_smoke: Callable[[str], dict]) -> dict:
    return run_smoke("generator")


def test_all_ways_draw_the_same_picture(found: dict) -> None:
    assert found["num_levels"]["own fp32"] <= 1
    assert found["num_levels"]["channels_last"] <= 1


def test_each_way_is_measured_in_each_round(found: dict) -> None:
    assert {"peer", "own fp32", "channels_last", "convolution fp32"} <= found["seconds"].keys()
    assert {len(taken) for taken in found["seconds"].values()} == {generator.SMOKE.num_rounds}


def test_bf16_is_measured_only_where_there_is_any(found: dict) -> None:
    rows = {row.what: row for row in generator.rows(found)}
    row = rows["generator bf16, beside eager PyTorch"]
    assert (row.value is None) == (not found["computes_in_bf16"]) == bool(row.note)


def test_bf16_is_measured_where_there_is_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CPU without it computes in bfloat16 too, only not fast."""
    monkeypatch.setattr(generator, "computes_in_bf16", lambda device: True)
    found = generator.run(smoke=True)
    assert 0 < found["num_levels"]["own bf16"] < 64
    assert {"own bf16", "convolution bf16"} <= found["seconds"].keys()
    assert all(row.value is not None for row in generator.rows(found))


def test_the_peers_networks_are_those_of_the_papers() -> None:
    with torch.device("meta"):
        sizes = [sum(p.numel() for p in net.parameters()) for net in (PeerGenerator(), PeerDiscriminator())]
    assert sizes == [11_378_179, 2_764_737]
