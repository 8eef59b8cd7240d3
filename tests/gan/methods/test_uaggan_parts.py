"""The two parts of a run of `uaggan`: who trains in each, and what discriminators see."""

import pytest
import torch
from torch import Tensor, nn

from gan.config import TrainConfig
from gan.image_pool import ImagePool
from gan.methods.method import Batch
from gan.training_state import TrainingState

CPU = torch.device("cpu")
FIRST, SECOND = 29, 30  # images seen, with the switch at 30


@pytest.fixture
def config(small_config) -> TrainConfig:
    return small_config(method="uaggan", total_images=100, uaggan={"attention_width": 4})


@pytest.fixture
def state(config, labels) -> TrainingState:
    return TrainingState(config, labels, CPU)


def step(state: TrainingState, batch: Batch) -> None:
    """Both phases as the training loop runs them."""
    state.num_images_seen = batch.num_images_seen
    state.train_only("generators")
    wanted = state.method.generator_phase(batch)
    state.descend("generators", wanted.total)
    state.train_only("discriminators")
    fakes = {name: fake.detach() for name, fake in wanted.fakes.items()}
    state.descend("discriminators", state.method.discriminator_phase(batch, fakes).total)


def weights_of(networks: nn.Module) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in networks.named_parameters()}


# Who trains, and when.


def test_in_the_second_part_each_phase_trains_its_own_networks_but_attention(state, batch, detached) -> None:
    method, batch = state.method, batch._replace(num_images_seen=SECOND)
    state.train_only("generators")
    wanted = method.generator_phase(batch)
    wanted.total.backward()
    for name, weight in method.generators.named_parameters():
        assert (weight.grad is None) == name.startswith("attention")
    assert all(p.grad is None for p in method.discriminators.parameters())
    method.zero_grad(set_to_none=True)
    state.train_only("discriminators")
    method.discriminator_phase(batch, detached(wanted.fakes)).total.backward()
    assert all(p.grad is not None for p in method.discriminators.parameters())
    assert all(p.grad is None for p in method.generators.parameters())


def test_attention_whose_weights_are_frozen_still_teaches_what_drew_the_image(
    config, method_of, batch
) -> None:
    method = method_of(config)
    for frozen in (False, True):
        fake = batch.image_b.clone().requires_grad_()
        method.zero_grad(set_to_none=True)
        method.attention("b", fake, frozen=frozen).sum().backward()
        assert fake.grad.abs().sum() > 0
        weights = method.generators["attention_b"].parameters()
        assert all((weight.grad is None) == frozen for weight in weights)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_attention_moves_in_the_first_part_and_stands_still_in_the_second(
    weight_decay, small_config, labels, batch
) -> None:
    settings = {"method": "uaggan", "total_images": 100, "uaggan": {"attention_width": 4}}
    state = TrainingState(small_config(**settings, weight_decay=weight_decay), labels, CPU)
    for seen, moves in ((0, True), (FIRST, True), (SECOND, False), (60, False)):
        before = weights_of(state.method.generators)
        step(state, batch._replace(num_images_seen=seen))
        after = weights_of(state.method.generators)
        for name, weight in before.items():
            if name.endswith("weight"):
                stays = name.startswith("attention") and not moves
                assert torch.equal(weight, after[name]) == stays, (seen, name)


def test_attention_is_in_the_optimiser_the_average_and_the_checkpoint(state) -> None:
    groups = state.optimizers["generators"].param_groups
    trained = {id(weight) for group in groups for weight in group["params"]}
    attention = [state.method.generators[f"attention_{name}"] for name in "ab"]
    assert {id(weight) for network in attention for weight in network.parameters()} <= trained
    saved = state.state_dict()
    for name in ("attention_a.head.weight", "attention_b.head.weight"):
        assert name in saved["ema"]
        assert f"generators.{name}" in saved["method"]


# What discriminators see.


def test_the_switch_depends_on_the_images_seen_alone(
    batch, config, method_of, plain_discriminators, detached
) -> None:
    method = method_of(config)
    for seen, whole in ((0, True), (SECOND, False), (FIRST, True), (99, False)):
        discriminators = plain_discriminators(method)
        now = batch._replace(num_images_seen=seen)
        method.discriminator_phase(now, detached(method.generator_phase(now).fakes))
        for discriminator in discriminators:
            assert discriminator.normalizes == [whole] * 3


@pytest.mark.parametrize(("fraction", "masked"), [(0.0, True), (1.0, False)])
def test_a_run_may_be_of_one_part_only(fraction, masked, batch, small_config, method_of) -> None:
    settings = {"attention_width": 4, "switch_fraction": fraction}
    method = method_of(small_config(method="uaggan", total_images=100, uaggan=settings))
    assert method.is_masked(batch._replace(num_images_seen=0)) == masked
    assert method.is_masked(batch._replace(num_images_seen=99)) == masked


def test_in_the_first_part_discriminators_see_whole_images(
    batch, config, method_of, attending, plain_discriminators, detached
) -> None:
    method, batch = method_of(config), batch._replace(num_images_seen=FIRST)
    attending(method, a=(0.0, 0.5), b=(0.0, 0.5))
    discriminator_a, discriminator_b = plain_discriminators(method)
    fakes = detached(method.generator_phase(batch).fakes)
    method.discriminator_phase(batch, fakes)
    for discriminator, real, fake in (
        (discriminator_a, batch.image_a, fakes["a"]),
        (discriminator_b, batch.image_b, fakes["b"]),
    ):
        for seen, whole in zip(discriminator.shown, (fake[:, :3], real, fake[:, :3]), strict=True):
            assert torch.equal(seen, whole)


def test_then_reals_show_under_their_own_mask_and_fakes_under_their_sources(
    batch, config, method_of, attending, plain_discriminators, detached
) -> None:
    method, batch = method_of(config), batch._replace(num_images_seen=SECOND)
    attending(method, a=(0.09, 0.1), b=(0.1, 0.09))  # the threshold is 0.1: A's right half, B's left half
    discriminator_a, discriminator_b = plain_discriminators(method)
    fakes = detached(method.generator_phase(batch).fakes)
    method.discriminator_phase(batch, fakes)
    left, right = slice(None, 12), slice(12, None)
    for discriminator, real, fake, own, source in (
        (discriminator_a, batch.image_a, fakes["a"], right, left),
        (discriminator_b, batch.image_b, fakes["b"], left, right),
    ):
        # Attended pixels are whole, not scaled by the attention; elsewhere stands 0.
        for seen, image, where in zip(
            discriminator.shown, (fake[:, :3], real, fake[:, :3]), (source, own, source), strict=True
        ):
            expected = torch.zeros_like(image)
            expected[..., where] = image[..., where]
            assert torch.equal(seen, expected)


def test_the_threshold_is_the_configs(
    batch, small_config, method_of, attending, plain_discriminators, detached
) -> None:
    settings = {"attention_width": 4, "threshold": 0.6, "switch_fraction": 0.0}
    method = method_of(small_config(method="uaggan", uaggan=settings))
    attending(method, a=(0.59, 0.6), b=(0.59, 0.6))
    discriminators = plain_discriminators(method)
    method.discriminator_phase(batch, detached(method.generator_phase(batch).fakes))
    for seen in (seen for discriminator in discriminators for seen in discriminator.shown):
        assert not seen[..., :12].any()
        assert seen[..., 12:].any()


@pytest.mark.parametrize("seen", [FIRST, SECOND])
def test_a_pooled_fake_is_judged_under_the_mask_that_it_was_drawn_with(
    seen, batch, config, method_of, attending, plain_discriminators
) -> None:
    method, batch = method_of(config), batch._replace(num_images_seen=seen)
    pool, random = ImagePool(2), torch.Generator().manual_seed(0)
    attending(method, a=(0.5, 0.0), b=(0.5, 0.0))
    old = pool.query(method.generator_phase(batch._replace(num_images_seen=0)).fakes, random)
    attending(method, a=(0.0, 0.5), b=(0.0, 0.5))
    discriminators = plain_discriminators(method)
    method.discriminator_phase(batch, old)
    for discriminator, fake in zip(discriminators, (old["a"], old["b"]), strict=True):
        assert fake.shape[1] == 4
        shown = discriminator.shown[1]
        assert torch.equal(shown[..., :12], fake[:, :3, :, :12])
        assert shown[..., 12:].any() == (seen == FIRST)


def test_both_discriminators_learn_from_what_the_pool_answers(batch, config, method_of, detached) -> None:
    method, batch = method_of(config), batch._replace(num_images_seen=SECOND)
    wanted = method.generator_phase(batch)
    for name in ("a", "b"):
        fakes = detached(wanted.fakes)
        fakes[name].requires_grad_()
        method.discriminator_phase(batch, fakes).total.backward()
        assert fakes[name].grad[:, :3].abs().sum() > 0
