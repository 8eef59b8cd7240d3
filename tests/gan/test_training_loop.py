import logging
import math

import pytest
import torch

import gan.training_loop
from gan.conditioning import Conditioning
from gan.methods.attention_cyclegan import AttentionCycleGAN
from gan.snapshot import Snapshot
from gan.training_loop import TrainingDiverged, train
from gan.training_state import CheckpointMismatch

VARIANTS = [
    {"method": "cyclegan"},
    {"background": "generate"},
    {"background": "mask_both"},
    {"background": "photo"},
    {"background": "keep"},
    {"conditioning": "onehot"},
    {"adversarial": "hinge", "ema_halflife_images": 0, "pool_images": 0},
]


def assert_equal(one, other) -> None:
    """Equal bit for bit, all the way down."""
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_equal(one[key], other[key])
    else:
        assert one == other


def stop_after(steps: int):
    answers = iter([False] * (steps - 1) + [True])
    return lambda: next(answers)


@pytest.mark.parametrize("changes", VARIANTS)
def test_interrupted_and_resumed_equals_uninterrupted(
    changes, labels, small_config, batches, preview, outputs
) -> None:
    config = small_config(**changes)
    whole, parted = outputs(), outputs()
    assert train(config, labels, batches=batches, preview=preview, outputs=whole)
    for steps in (3, 2):
        stop = stop_after(steps)
        assert not train(config, labels, batches=batches, preview=preview, outputs=parted, should_stop=stop)
    assert train(config, labels, batches=batches, preview=preview, outputs=parted)
    assert parted.snapshots == whole.snapshots
    assert parted.reports == whole.reports
    cpu = torch.device("cpu")
    assert_equal(parted.newest_checkpoint(cpu), whole.newest_checkpoint(cpu))


def test_progress_is_counted_in_images(labels, small_config, batches, preview, outputs) -> None:
    out = outputs()
    train(small_config(), labels, batches=batches, preview=preview, outputs=out)
    assert [number for number, _ in out.reports] == [4, 8, 12, 16]
    assert sorted(out.snapshots) == out.checkpoints == [8, 16]
    assert sorted(out.previews) == [0, 8, 16]
    rates = [metrics["learning_rate"] for _, metrics in out.reports]
    assert rates == pytest.approx([2e-4, 2e-4, 1e-4, 0.0])


def test_the_learning_rate_reaches_the_optimisers(labels, small_config, batches, preview, outputs) -> None:
    out = outputs()
    train(small_config(), labels, batches=batches, preview=preview, outputs=out)
    state = out.newest_checkpoint(torch.device("cpu"))
    last_step = 2e-4 * (16 - 14) / 8
    for optimizer in state["optimizers"].values():
        assert optimizer["param_groups"][0]["lr"] == pytest.approx(last_step)


def test_each_phase_trains_its_own_networks_only(labels, small_config, batches, preview, outputs) -> None:
    config = small_config()
    state = gan.training_loop.TrainingState(config, labels, torch.device("cpu"))
    batch = gan.training_loop._to_device(next(batches(0)), Conditioning(labels, "rgb"), torch.Generator())
    for phase, other in (("generators", "discriminators"), ("discriminators", "generators")):
        state.method.zero_grad(set_to_none=True)
        state.train_only(phase)
        if phase == "generators":
            wanted = state.method.generator_phase(batch)
            wanted.total.backward()
        else:
            fakes = {name: fake.detach() for name, fake in wanted.fakes.items()}
            state.method.discriminator_phase(batch, fakes).total.backward()
        assert all(p.grad is not None for p in getattr(state.method, phase).parameters())
        assert all(p.grad is None for p in getattr(state.method, other).parameters())


def test_both_discriminators_see_their_generators_fakes(labels, small_config, batches) -> None:
    method = AttentionCycleGAN(small_config(), labels.noise, 3)
    batch = gan.training_loop._to_device(next(batches(0)), Conditioning(labels, "rgb"), torch.Generator())
    wanted = method.generator_phase(batch)
    assert set(wanted.fakes) == {"a", "b"}
    for domain in ("a", "b"):
        fakes = {name: fake.detach().requires_grad_(name == domain) for name, fake in wanted.fakes.items()}
        method.discriminator_phase(batch, fakes).total.backward()
        assert fakes[domain].grad.abs().sum() > 0


@pytest.mark.parametrize("after_steps", [1, 5])
def test_nan_stops_the_run_and_saves_nothing_bad(
    after_steps, labels, small_config, batches, preview, outputs, monkeypatch
) -> None:
    out = outputs()
    steps = 0
    healthy = AttentionCycleGAN.generator_phase

    def poisoned(self, batch):
        nonlocal steps
        steps += 1
        phase = healthy(self, batch)
        return phase._replace(total=phase.total * math.nan) if steps > after_steps else phase

    monkeypatch.setattr(AttentionCycleGAN, "generator_phase", poisoned)
    with pytest.raises(TrainingDiverged, match="nothing of it was saved"):
        train(small_config(), labels, batches=batches, preview=preview, outputs=out)
    for data in out.snapshots.values():
        assert Snapshot.from_bytes(data).is_finite()
    if out.checkpoint is not None:
        state = out.newest_checkpoint(torch.device("cpu"))
        assert all(tensor.isfinite().all() for tensor in state["method"].values())


def test_a_collapsed_discriminator_is_said(
    labels, small_config, batches, preview, outputs, monkeypatch, caplog
) -> None:
    monkeypatch.setattr(
        "gan.methods.attention_cyclegan.discriminator_accuracy", lambda *_, **__: torch.tensor(1.0)
    )
    with caplog.at_level(logging.WARNING):
        config = small_config(report_every_images=2)
        train(config, labels, batches=batches, preview=preview, outputs=outputs())
    assert "discriminator of domain b has collapsed" in caplog.text


def test_a_checkpoint_of_other_settings_is_refused_by_name(
    labels, small_config, batches, preview, outputs
) -> None:
    out = outputs()
    stop = stop_after(1)
    train(small_config(), labels, batches=batches, preview=preview, outputs=out, should_stop=stop)
    with pytest.raises(CheckpointMismatch, match=r"train.learning_rate was 0.0002 and is now 0.1"):
        changed = small_config(learning_rate=0.1)
        train(changed, labels, batches=batches, preview=preview, outputs=out)
    longer = small_config(total_images=20)
    assert train(longer, labels, batches=batches, preview=preview, outputs=out)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_trains_on_a_gpu(labels, small_config, batches, preview, outputs) -> None:
    out = outputs()
    assert train(small_config(device="cuda"), labels, batches=batches, preview=preview, outputs=out)
    assert Snapshot.from_bytes(out.snapshots[16]).is_finite()


def test_a_run_made_shorter_than_what_it_has_seen_ends_with_a_snapshot(
    labels, small_config, batches, preview, outputs
) -> None:
    out = outputs()
    stop = stop_after(3)
    train(small_config(), labels, batches=batches, preview=preview, outputs=out, should_stop=stop)
    assert not out.snapshots
    assert train(small_config(total_images=4), labels, batches=batches, preview=preview, outputs=out)
    assert list(out.snapshots) == [6]


def test_how_often_a_run_reports_does_not_change_its_snapshot(
    labels, small_config, batches, preview, outputs
) -> None:
    one, other = outputs(), outputs()
    train(small_config(), labels, batches=batches, preview=preview, outputs=one)
    often = small_config(report_every_images=2, checkpoint_every_images=2)
    train(often, labels, batches=batches, preview=preview, outputs=other)
    assert one.snapshots == other.snapshots
