"""Two processes train together as one would: the same step, the same weights in both, stopped and resumed at
the same place."""

import logging
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gan.conditioning import LabelSpec
from gan.config import NoiseConfig, TrainConfig
from gan.data import HostBatch
from gan.device import DeviceError, resolve_device
from gan.distributed import ALONE, Ranks, RanksDisagree, join_ranks
from gan.methods.registry import METHODS
from gan.share import Share
from gan.training_loop import train
from gan.training_state import TrainingState

CPU = torch.device("cpu")
BATCH = 4
NARROW = {"global_layers": 4, "local_layers": 3, "light": True}
ONE_STEP = {
    "cyclegan": {"method": "cyclegan"},
    "paired": {"method": "cyclegan", "paired": True},
    "r1, blur, spectral norm": {
        "method": "cyclegan",
        "loss": {"r1": 1.0, "blur": 1.0},
        "discriminator": {"width": 4, "num_layers": 2, "spectral_norm": True},
    },
    "uaggan": {"method": "uaggan", "uaggan": {"attention_width": 4}},
    "uaggan, masked": {"method": "uaggan", "uaggan": {"attention_width": 4, "switch_fraction": 0}},
    "cut": {"method": "cut"},
    "fastcut": {"method": "fastcut", "conditioning": "onehot"},
    "attentiongan": {"method": "attentiongan"},
    "ugatit": {"method": "ugatit", "ugatit": NARROW},
    "attention_cyclegan": {},
    "class_balance": {"loss": {"class_balance": 0.5}},
    "mask_both": {"background": "mask_both"},
    "segback": {"method": "segback"},
    "segback, cycle": {"method": "segback", "loss": {"cycle": 10}},
}
"""Runs of which one step of two processes is one step of one."""


def config_of(changes: dict[str, Any], **more: Any) -> TrainConfig:
    settings = {
        "width": 24,
        "height": 16,
        "batch_size": BATCH,
        "total_images": BATCH,
        "generator": {"width": 4, "num_blocks": 1},
        "discriminator": {"width": 4, "num_layers": 2},
        "pool_images": 8,
        "report_every_images": BATCH,
        "precision": "fp32",
    }
    return TrainConfig(**settings | changes | more)


LONGER = {"total_images": 6 * BATCH, "pool_images": 5, "report_every_images": 2 * BATCH}


@pytest.fixture(scope="module")
def few_classes() -> LabelSpec:
    table = torch.tensor([[0, 0, 0], [0, 255, 0], [255, 255, 255]], dtype=torch.uint8)
    table = table[:, None].repeat(1, 256, 1)
    table[1, :, 1] = torch.linspace(200, 255, 256).to(torch.uint8)
    is_background = torch.tensor([True, False, False])
    return LabelSpec(
        table.numpy(),
        is_background.numpy(),
        ~is_background.numpy() & False,
        NoiseConfig(amount=0.2),
        {"name": "test"},
    )


def host_batch(number: int) -> HostBatch:
    random = np.random.default_rng(number)
    return HostBatch(
        random.integers(0, 3, (BATCH, 16, 24), dtype=np.uint8),
        random.integers(0, 256, (BATCH, 16, 24, 3), dtype=np.uint8),
    )


BATCHES = [host_batch(number) for number in range(6)]


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


@pytest.fixture(scope="module")
def ranks(few_classes: LabelSpec, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[dict[str, Any]]]:
    """What two processes have at the end of every run, trained together one after the other."""
    folder = tmp_path_factory.mktemp("ranks")
    jobs = {name: (config_of(changes), few_classes, BATCHES) for name, changes in ONE_STEP.items()}
    longer = config_of({}, **LONGER), few_classes, BATCHES
    jobs |= {"whole": longer, "parted": (*longer, (2, 1)), "poisoned": (*longer, (), True)}
    (folder / "jobs").write_bytes(pickle.dumps(jobs))
    script = Path(__file__).with_name("rank.py")
    root = str(Path(__file__).parents[2])
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2"}
    shared |= {"PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [sys.executable, str(script), str(folder)],
            env=os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        said = [process.communicate(timeout=240)[1] for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0, 0], said
    yield [torch.load(folder / f"rank-{rank}.pt", weights_only=False) for rank in range(2)]


def checkpoint_of(result: dict[str, Any], outputs: Any) -> dict[str, Any]:
    out = outputs()
    out.checkpoint = result["checkpoint"]
    return out.newest_checkpoint(CPU)


@pytest.fixture
def alone(few_classes: LabelSpec, outputs: Any) -> Any:
    """One process does the same run; its outputs."""

    def run(config: TrainConfig, checkpoint: bytes | None = None) -> Any:
        out = outputs()
        out.checkpoint = checkpoint

        def batches(num_images_seen: int) -> Iterator[HostBatch]:
            yield from BATCHES[num_images_seen // BATCH :]

        assert train(config, few_classes, batches=batches, preview=BATCHES[0], outputs=out)
        return out

    return run


@pytest.mark.parametrize("name", ONE_STEP)
def test_the_first_step_is_that_of_one_process(
    name: str, ranks: list[dict[str, Any]], alone: Any, few_classes: LabelSpec, outputs: Any
) -> None:
    out = alone(config_of(ONE_STEP[name]))
    together = ranks[0][name]
    assert together["reports"][0][1] == pytest.approx(out.reports[0][1], rel=1e-4, abs=1e-4)
    one, two = (TrainingState(config_of(ONE_STEP[name]), few_classes, CPU) for _ in range(2))
    one.load_state_dict(out.newest_checkpoint(CPU))
    two.load_state_dict(checkpoint_of(together, outputs))
    for phase in one.optimizers:
        assert_same_step(one, two, phase)


def assert_same_step(one: TrainingState, two: TrainingState, phase: str) -> None:
    """Equal gradients, and equal weights where there is a gradient: Adam's first step is its sign, which says
    nothing where a norm cancels a bias and what remains is rounding."""
    (weights, gradients), (counterparts, others) = (_trained(state, phase) for state in (one, two))
    rounding = 1e-4 * float(gradients.abs().max())
    torch.testing.assert_close(gradients, others, rtol=1e-3, atol=rounding)
    has_gradient = gradients.abs() > 10 * rounding
    assert has_gradient.sum() > 50
    torch.testing.assert_close(weights[has_gradient], counterparts[has_gradient], rtol=0, atol=1e-6)


def _trained(state: TrainingState, phase: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The weights that the phase's first step has moved, and their gradients as Adam remembers them."""
    moments = state.optimizers[phase].state
    trained = [weight.detach() for weight in state.method.weights(phase) if weight in moments]
    gradients = [moments[w]["exp_avg"] for w in state.method.weights(phase) if w in moments]
    return torch.cat([w.flatten() for w in trained]), torch.cat([g.flatten() for g in gradients])


@pytest.mark.parametrize("name", [*ONE_STEP, "whole", "parted"])
def test_ranks_stay_the_same_bit_for_bit(
    assert_equal: Callable, name: str, ranks: list[dict[str, Any]]
) -> None:
    one, other = (result[name] for result in ranks)
    for part in ("method", "ema", "reports", "snapshots", "completed"):
        assert_equal(one[part], other[part])


def test_every_method_is_tried_together() -> None:
    assert {config_of(changes).method for changes in ONE_STEP.values()} == set(METHODS)


def test_interrupted_and_resumed_equals_uninterrupted(
    assert_equal: Callable, ranks: list[dict[str, Any]], outputs: Any
) -> None:
    """Rank 1 alone is told to stop, and both do."""
    for result in ranks:
        assert result["parted"]["completed"] == [False, False, True]
        for part in ("method", "ema", "pool", "reports", "snapshots"):
            assert_equal(result["parted"][part], result["whole"][part])
    assert_equal(checkpoint_of(ranks[0]["parted"], outputs), checkpoint_of(ranks[0]["whole"], outputs))


def test_each_rank_has_a_pool_of_its_own_and_all_are_in_the_checkpoint(
    assert_equal: Callable, ranks: list[dict[str, Any]], outputs: Any
) -> None:
    pools = [result["whole"]["pool"] for result in ranks]
    assert_equal(checkpoint_of(ranks[0]["whole"], outputs)["pools"], pools)
    assert not torch.equal(pools[0]["stored"]["b"], pools[1]["stored"]["b"])
    assert len(pools[0]["stored"]["b"]) == 3  # half of five, rounded up


def test_nan_on_one_rank_stops_all(ranks: list[dict[str, Any]]) -> None:
    for result in ranks:
        assert "nothing of it was saved" in result["poisoned"]["error"]
        assert result["poisoned"]["checkpoint"] is None


def test_another_number_of_processes_goes_on_with_empty_pools(
    ranks: list[dict[str, Any]],
    alone: Any,
    few_classes: LabelSpec,
    outputs: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    state = TrainingState(config_of({}, **LONGER), few_classes, CPU)
    with caplog.at_level(logging.WARNING):
        state.load_state_dict(checkpoint_of(ranks[0]["whole"], outputs))
    assert "written by 2 processes, and now there are 1" in caplog.text
    assert state.num_images_seen == 6 * BATCH
    assert state.pool.state_dict()["num_stored"] == {}


def test_a_checkpoint_with_a_single_pool_is_read(
    assert_equal: Callable, few_classes: LabelSpec, alone: Any
) -> None:
    """As they were before several processes trained together."""
    config = config_of({})
    saved = alone(config).newest_checkpoint(CPU)
    (pool,) = saved.pop("pools")
    state = TrainingState(config, few_classes, CPU)
    state.load_state_dict(saved | {"pool": pool})
    assert_equal(state.pool.state_dict(), pool)


def test_gradients_are_averaged_where_any_rank_has_one(ranks: list[dict[str, Any]]) -> None:
    for result in ranks:
        *means, none = result["gradients"]
        assert [float(mean.unique()) for mean in means] == [1.5, 0.5, 1.0]
        assert none is None


def test_alone_nothing_is_initialised_and_nothing_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    weight = torch.nn.Parameter(torch.zeros(2))
    weight.grad = gradient = torch.ones(2)
    ALONE.average_gradients([weight])
    assert weight.grad is gradient
    measures = {"cycle_a": torch.tensor(1.0)}
    assert ALONE.averaged(measures) is measures
    assert ALONE.gathered(3) == [3] and ALONE.from_first(lambda: 4) == 4
    ALONE.require_equal(5, "images seen")
    with join_ranks("cpu") as ranks:
        assert ranks is ALONE
    assert not torch.distributed.is_initialized()


def test_ranks_that_found_different_checkpoints_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other rank is at 8 images."""
    ranks = Ranks(Share(0, 2))
    monkeypatch.setattr(ranks, "highest", lambda number: max(number, 8 if number >= 0 else -8))
    with pytest.raises(RanksDisagree, match="found 4 to 8 images seen"):
        ranks.require_equal(4, "images seen")


@pytest.mark.parametrize("name, wanted", [("auto", "cuda:3"), ("cuda", "cuda:3"), ("cpu", "cpu")])
def test_each_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch, name: str, wanted: str) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    monkeypatch.setattr("torch.empty", lambda *_, **__: None)
    assert str(resolve_device(name, 3)) == wanted
    for refused, index in (("cuda", 4), ("cuda:0", 1)):
        with pytest.raises(DeviceError, match="cpu|'cuda'"):
            resolve_device(refused, index)
