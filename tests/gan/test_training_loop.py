import logging
import math

import pytest
import torch

import gan.training_loop
from gan.methods.attention_cyclegan import AttentionCycleGAN
from gan.snapshot import Snapshot
from gan.training_loop import TrainingDiverged, train
from gan.training_state import CheckpointMismatch, TrainingState

KNOWN_LOSSES = {
    "accuracy_a": 0.5,
    "accuracy_b": 0.5,
    "adversarial_a": 0.8273,
    "adversarial_b": 1.0078,
    "cycle_a": 0.9685,
    "cycle_b": 0.5079,
    "discriminator_a": 0.4521,
    "discriminator_b": 0.4811,
    "identity_a": 0.9749,
    "identity_b": 0.5111,
    "learning_rate": 0.0,
}


def stop_after(steps: int):
    answers = iter([False] * (steps - 1) + [True])
    return lambda: next(answers)


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
    state = TrainingState(config, labels, torch.device("cpu"))
    batch = gan.training_loop._to_device(next(batches(0)), state)
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
    state = TrainingState(small_config(), labels, torch.device("cpu"))
    method = state.method
    batch = gan.training_loop._to_device(next(batches(0)), state)
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
        "gan.methods.discriminating.discriminator_accuracy", lambda *_, **__: torch.tensor(1.0)
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


@pytest.fixture
def spied(monkeypatch) -> dict[str, list]:
    """What the phases are handed and return, step by step."""
    seen: dict[str, list] = {"batches": [], "drawn": [], "judged": []}
    generator_phase, discriminator_phase = (
        AttentionCycleGAN.generator_phase,
        AttentionCycleGAN.discriminator_phase,
    )

    def spy_generators(self, batch):
        phase = generator_phase(self, batch)
        seen["batches"].append(batch)
        seen["drawn"].append({name: fake.detach() for name, fake in phase.fakes.items()})
        return phase

    def spy_discriminators(self, batch, fakes):
        seen["judged"].append(fakes)
        return discriminator_phase(self, batch, fakes)

    monkeypatch.setattr(AttentionCycleGAN, "generator_phase", spy_generators)
    monkeypatch.setattr(AttentionCycleGAN, "discriminator_phase", spy_discriminators)
    return seen


def test_noise_is_fresh_in_every_step(spied, labels, small_config, preview, outputs) -> None:
    def same(_: int):
        while True:
            yield preview

    train(small_config(), labels, batches=same, preview=preview, outputs=outputs())
    first, second, *_ = spied["batches"]
    assert torch.equal(first.clean_a, second.clean_a)
    assert not torch.equal(first.image_a, second.image_a)
    assert not torch.equal(first.noise_level, second.noise_level)
    for batch in (first, second):
        assert batch.noise_level.min() < -0.9
        assert batch.noise_level.max() > 0.9


def test_discriminators_judge_what_the_pool_answers(
    spied, labels, small_config, batches, preview, outputs, monkeypatch
) -> None:
    monkeypatch.setattr(
        "gan.image_pool.ImagePool.query",
        lambda self, fakes, random: {name: torch.full_like(fake, 0.5) for name, fake in fakes.items()},
    )
    train(small_config(), labels, batches=batches, preview=preview, outputs=outputs())
    assert all((fake == 0.5).all() for fakes in spied["judged"] for fake in fakes.values())


def test_snapshots_hold_the_moving_average(labels, small_config, batches, preview, outputs) -> None:
    out = outputs()
    train(small_config(), labels, batches=batches, preview=preview, outputs=out)
    state = out.newest_checkpoint(torch.device("cpu"))
    snapshot = Snapshot.from_bytes(out.snapshots[16]).tensors
    first = TrainingState(small_config(), labels, torch.device("cpu")).ema.state_dict()
    name = "ab.stem.0.weight"
    assert torch.equal(snapshot[name], state["ema"][name])
    assert not torch.equal(snapshot[name], state["method"][f"generators.{name}"])
    assert not torch.equal(snapshot[name], first[name])


def test_raw_weights_are_offered_beside_the_average_and_alone_where_there_is_none(
    labels, small_config, batches, preview, outputs
) -> None:
    name = "ab.stem.0.weight"
    for halflife, holds in ((2_000, "ema"), (0, "raw")):
        out, config = outputs(), small_config(ema_halflife_images=halflife)
        train(config, labels, batches=batches, preview=preview, outputs=out)
        method = out.newest_checkpoint(torch.device("cpu"))["method"]
        raw = Snapshot.from_bytes(out.raw_snapshots[16])
        assert raw.info.holds == "raw" and torch.equal(raw.tensors[name], method[f"generators.{name}"])
        assert Snapshot.from_bytes(out.snapshots[16]).info.holds == holds
        assert (out.snapshots == out.raw_snapshots) == (holds == "raw")


def test_previews_are_drawn_by_the_moving_average(labels, small_config, preview) -> None:
    state = TrainingState(small_config(), labels, torch.device("cpu"))
    before = gan.training_loop.draw_preview(state, preview)
    with torch.no_grad():
        for parameter in state.method.parameters():
            parameter.zero_()
    assert (gan.training_loop.draw_preview(state, preview) == before).all()
    state.ema.update(0.0)
    assert (gan.training_loop.draw_preview(state, preview) != before).any()


def test_networks_compute_in_the_precision_of_the_config(
    labels, small_config, batches, preview, outputs
) -> None:
    ends = []
    for precision in ("fp32", "bf16"):
        out = outputs()
        train(small_config(precision=precision), labels, batches=batches, preview=preview, outputs=out)
        ends.append(out.reports[0][1])
    assert ends[0]["cycle_b"] != ends[1]["cycle_b"]
    assert ends[0]["cycle_b"] == pytest.approx(ends[1]["cycle_b"], rel=0.05)


def test_weights_that_go_bad_where_a_checkpoint_is_due_are_not_saved(
    labels, small_config, batches, preview, outputs, monkeypatch
) -> None:
    out = outputs()
    config = small_config(report_every_images=2, checkpoint_every_images=8)
    descend = gan.training_loop.TrainingState.descend

    def poisoned(self, phase, loss):
        descend(self, phase, loss)
        if self.num_images_seen == 6 and phase == "discriminators":
            with torch.no_grad():
                next(self.method.parameters()).fill_(math.nan)

    monkeypatch.setattr(gan.training_loop.TrainingState, "descend", poisoned)
    with pytest.raises(TrainingDiverged):
        train(config, labels, batches=batches, preview=preview, outputs=out)
    assert out.checkpoint is None


def test_the_losses_at_a_fixed_seed_are_known(labels, small_config, batches, preview, outputs) -> None:
    """A change that is meant to change nothing leaves these as they are."""
    out = outputs()
    train(small_config(precision="fp32"), labels, batches=batches, preview=preview, outputs=out)
    metrics = out.reports[-1][1]
    assert metrics == pytest.approx(KNOWN_LOSSES, rel=0.02, abs=1e-3)


def test_fakes_can_be_drawn_anew_for_the_discriminators(
    labels, small_config, batches, preview, outputs
) -> None:
    losses = []
    for shared in (True, False):
        out = outputs()
        config = small_config(shared_forward=shared, pool_images=0, total_images=4, report_every_images=2)
        train(config, labels, batches=batches, preview=preview, outputs=out)
        losses.append([metrics for _, metrics in out.reports])
    (shared, later), (anew, _) = losses
    assert shared["adversarial_b"] == anew["adversarial_b"]  # the generators' first step is the same
    assert shared["discriminator_b"] != anew["discriminator_b"]
