import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from gan.augment import noise_rgb
from gan.config import NoiseConfig, TrainConfig
from gan.image_pool import ImagePool
from gan.methods.method import Batch
from gan.snapshot import Snapshot
from gan.training_state import TrainingState
from gan.translator import Translator

CPU = torch.device("cpu")
FIRST, SECOND = 29, 30  # images seen, with the switch at 30


@pytest.fixture
def config(small_config) -> TrainConfig:
    return small_config(method="uaggan", total_images=100, uaggan={"attention_width": 4})


@pytest.fixture
def state(config, labels) -> TrainingState:
    return TrainingState(config, labels, CPU)


class Attends(nn.Module):
    """Attention without weights: one value for each column of the image; remembers what it was asked."""

    def __init__(self, left: float, right: float):
        super().__init__()
        self.left, self.right = left, right
        self.asked: list[Tensor] = []

    def forward(self, image: Tensor) -> Tensor:
        self.asked.append(image)
        attention = torch.full_like(image[:, :1], self.left)
        attention[..., 12:] = self.right
        return attention


class Judge(nn.Module):
    """A discriminator without weights that remembers what it was shown, and whether it should normalize."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Tensor] = []
        self.normalizes: list[bool] = []

    def forward(self, image: Tensor, *, normalize: bool = True) -> list[Tensor]:
        self.shown.append(image)
        self.normalizes.append(normalize)
        return [image.mean(1, keepdim=True)]


class Inverts(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return -image


def attending(method, *, a: tuple[float, float], b: tuple[float, float]) -> tuple[Attends, Attends]:
    networks = Attends(*a), Attends(*b)
    method.generators.update({"attention_a": networks[0], "attention_b": networks[1]})
    return networks


def judging(method) -> tuple[Judge, Judge]:
    judges = Judge(), Judge()
    method.discriminators = nn.ModuleDict({"a": judges[0], "b": judges[1]})
    return judges


def detached(fakes: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: fake.detach().clone() for name, fake in fakes.items()}


def step(state: TrainingState, batch: Batch) -> None:
    """Both phases as the training loop runs them."""
    state.num_images_seen = batch.num_images_seen
    state.train_only("generators")
    wanted = state.method.generator_phase(batch)
    state.descend("generators", wanted.total)
    state.train_only("discriminators")
    state.descend("discriminators", state.method.discriminator_phase(batch, detached(wanted.fakes)).total)


def weights_of(networks: nn.Module) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in networks.named_parameters()}


# What is drawn.


def test_attention_0_returns_the_input_and_1_what_the_generator_drew(batch, config, method_of) -> None:
    generators = method_of(config).generators
    for left in (0.0, 1.0):
        generators.update({"attention_a": Attends(left, 0), "attention_b": Attends(left, 0)})
        for image, drawn, alone in (
            (batch.image_a, generators.draw_b(batch.image_a, batch.attention_a, None), generators["ab"]),
            (batch.image_b, generators.draw_a(batch.image_b), generators["ba"]),
        ):
            assert torch.equal(drawn[..., 12:], image[..., 12:])
            expected = alone(image) if left else image
            assert torch.allclose(drawn[..., :12], expected[..., :12])


@pytest.mark.parametrize("seen", [FIRST, SECOND])
def test_training_draws_as_use_does_and_the_labels_mask_is_not_used(seen, batch, config, method_of) -> None:
    method, batch = method_of(config), batch._replace(num_images_seen=seen)
    wanted = method.generator_phase(batch)
    no_mask = torch.zeros_like(batch.attention_a)
    assert torch.equal(wanted.fakes["b"][:, :3], method.generators.draw_b(batch.image_a, no_mask, None))
    assert torch.allclose(wanted.fakes["a"][:, :3], method.generators.draw_a(batch.image_b), atol=1e-5)
    assert torch.equal(wanted.total, method.generator_phase(batch._replace(attention_a=no_mask)).total)


def test_the_way_back_asks_the_network_of_the_fakes_domain(batch, config, method_of) -> None:
    method = method_of(config)
    attends_a, attends_b = attending(method, a=(1.0, 0.0), b=(0.0, 1.0))
    method.generators.update({"ab": Inverts(), "ba": Inverts()})
    terms = method.generator_phase(batch).terms
    fake_b, fake_a = batch.image_a.clone(), batch.image_b.clone()
    fake_b[..., :12] *= -1
    fake_a[..., 12:] *= -1
    for network, image, fake in ((attends_a, batch.image_a, fake_a), (attends_b, batch.image_b, fake_b)):
        assert torch.equal(network.asked[0], image)
        assert torch.allclose(network.asked[1], fake, atol=1e-5)
    # Inverted on the left by the one mask and on the right by the other: nowhere inverted back.
    assert terms["cycle_a"].item() == pytest.approx(2 * batch.image_a.abs().mean().item())
    assert terms["cycle_b"].item() == pytest.approx(2 * batch.image_b.abs().mean().item())


def test_each_cycle_returns_to_the_image_that_it_started_from(batch, config, method_of) -> None:
    method = method_of(config)
    method.generators.update({"ab": nn.Identity(), "ba": nn.Identity()})
    terms = method.generator_phase(batch).terms
    for term in ("cycle_a", "cycle_b"):
        assert terms[term] == pytest.approx(0, abs=1e-6)


def test_the_way_back_is_aimed_at_the_clean_label(batch, config, method_of) -> None:
    method = method_of(config)
    method.generators.update({"ab": nn.Identity(), "ba": nn.Identity()})
    terms = method.generator_phase(batch._replace(image_a=batch.clean_a + 0.25)).terms
    assert terms["cycle_a"].item() == pytest.approx(0.25)


def test_drawn_labels_get_the_noise_of_labels(batch, config, method_of) -> None:
    noise = NoiseConfig(amount=0.4)
    method = method_of(config, noise=noise)
    level = torch.full_like(batch.noise_level, 0.7)
    drawn = method.generators.draw_a(batch.image_b)
    fake_a = method.generator_phase(batch._replace(noise_level=level)).fakes["a"][:, :3]
    assert torch.equal(fake_a, noise_rgb(drawn, level, noise))
    assert not torch.equal(fake_a, drawn)


def test_a_snapshot_draws_at_any_size_with_the_attention_that_was_learned(state, labels) -> None:
    taken = Snapshot.of(state.ema.network, labels, state.config, 1)
    assert {name.split(".")[0] for name in taken.weights} == {"ab", "ba", "attention_a", "attention_b"}
    reread = Translator(Snapshot.from_bytes(taken.to_bytes()), device="cpu", precision="fp32")
    for name, weight in state.ema.network.state_dict().items():
        assert torch.equal(weight, reread.generators.state_dict()[name])
    random = torch.Generator().manual_seed(0)
    label_maps = torch.randint(0, 3, (2, 17, 23), generator=random, dtype=torch.uint8).numpy()
    pictures = reread.translate(label_maps, label_maps)
    assert pictures.shape == (2, 17, 23, 3)
    with torch.no_grad():
        for name in ("attention_a", "attention_b"):
            for weight in reread.generators[name].parameters():
                weight.zero_()
    assert (reread.translate(label_maps, label_maps) != pictures).any()


# Who trains, and when.


def test_in_the_first_part_each_phase_trains_its_own_networks_only(state, batch) -> None:
    method, batch = state.method, batch._replace(num_images_seen=FIRST)
    state.train_only("generators")
    wanted = method.generator_phase(batch)
    wanted.total.backward()
    for name, weight in method.generators.named_parameters():
        assert weight.grad is not None
        assert weight.grad.any() or name.endswith("bias")  # instance norm takes most biases back
    assert all(p.grad is None for p in method.discriminators.parameters())
    method.zero_grad(set_to_none=True)
    state.train_only("discriminators")
    method.discriminator_phase(batch, detached(wanted.fakes)).total.backward()
    assert all(p.grad is not None for p in method.discriminators.parameters())
    assert all(p.grad is None for p in method.generators.parameters())


def test_in_the_second_part_each_phase_trains_its_own_networks_but_attention(state, batch) -> None:
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


def test_the_switch_depends_on_the_images_seen_alone(batch, config, method_of) -> None:
    method = method_of(config)
    for seen, whole in ((0, True), (SECOND, False), (FIRST, True), (99, False)):
        judges = judging(method)
        now = batch._replace(num_images_seen=seen)
        method.discriminator_phase(now, detached(method.generator_phase(now).fakes))
        for judge in judges:
            assert judge.normalizes == [whole] * 3


@pytest.mark.parametrize(("fraction", "masked"), [(0.0, True), (1.0, False)])
def test_a_run_may_be_of_one_part_only(fraction, masked, batch, small_config, method_of) -> None:
    settings = {"attention_width": 4, "switch_fraction": fraction}
    method = method_of(small_config(method="uaggan", total_images=100, uaggan=settings))
    assert method.is_masked(batch._replace(num_images_seen=0)) == masked
    assert method.is_masked(batch._replace(num_images_seen=99)) == masked


def test_in_the_first_part_discriminators_see_whole_images(batch, config, method_of) -> None:
    method, batch = method_of(config), batch._replace(num_images_seen=FIRST)
    attending(method, a=(0.0, 0.5), b=(0.0, 0.5))
    judge_a, judge_b = judging(method)
    fakes = detached(method.generator_phase(batch).fakes)
    method.discriminator_phase(batch, fakes)
    for judge, real, fake in ((judge_a, batch.image_a, fakes["a"]), (judge_b, batch.image_b, fakes["b"])):
        for seen, whole in zip(judge.shown, (fake[:, :3], real, fake[:, :3]), strict=True):
            assert torch.equal(seen, whole)


def test_then_reals_show_under_their_own_mask_and_fakes_under_their_sources(batch, config, method_of) -> None:
    method, batch = method_of(config), batch._replace(num_images_seen=SECOND)
    attending(method, a=(0.09, 0.1), b=(0.1, 0.09))  # the threshold is 0.1: A's right half, B's left half
    judge_a, judge_b = judging(method)
    fakes = detached(method.generator_phase(batch).fakes)
    method.discriminator_phase(batch, fakes)
    left, right = slice(None, 12), slice(12, None)
    for judge, real, fake, own, source in (
        (judge_a, batch.image_a, fakes["a"], right, left),
        (judge_b, batch.image_b, fakes["b"], left, right),
    ):
        # Attended pixels are whole, not scaled by the attention; elsewhere stands 0.
        for seen, image, where in zip(
            judge.shown, (fake[:, :3], real, fake[:, :3]), (source, own, source), strict=True
        ):
            expected = torch.zeros_like(image)
            expected[..., where] = image[..., where]
            assert torch.equal(seen, expected)


def test_the_threshold_is_the_configs(batch, small_config, method_of) -> None:
    settings = {"attention_width": 4, "threshold": 0.6, "switch_fraction": 0.0}
    method = method_of(small_config(method="uaggan", uaggan=settings))
    attending(method, a=(0.59, 0.6), b=(0.59, 0.6))
    judges = judging(method)
    method.discriminator_phase(batch, detached(method.generator_phase(batch).fakes))
    for seen in (seen for judge in judges for seen in judge.shown):
        assert not seen[..., :12].any()
        assert seen[..., 12:].any()


@pytest.mark.parametrize("seen", [FIRST, SECOND])
def test_a_pooled_fake_is_judged_under_the_mask_that_it_was_drawn_with(
    seen, batch, config, method_of
) -> None:
    method, batch = method_of(config), batch._replace(num_images_seen=seen)
    pool, random = ImagePool(2), torch.Generator().manual_seed(0)
    attending(method, a=(0.5, 0.0), b=(0.5, 0.0))
    old = pool.query(method.generator_phase(batch._replace(num_images_seen=0)).fakes, random)
    attending(method, a=(0.0, 0.5), b=(0.0, 0.5))
    judges = judging(method)
    method.discriminator_phase(batch, old)
    for judge, fake in zip(judges, (old["a"], old["b"]), strict=True):
        assert fake.shape[1] == 4
        shown = judge.shown[1]
        assert torch.equal(shown[..., :12], fake[:, :3, :, :12])
        assert shown[..., 12:].any() == (seen == FIRST)


def test_both_discriminators_learn_from_what_the_pool_answers(batch, config, method_of) -> None:
    method, batch = method_of(config), batch._replace(num_images_seen=SECOND)
    wanted = method.generator_phase(batch)
    for name in ("a", "b"):
        fakes = detached(wanted.fakes)
        fakes[name].requires_grad_()
        method.discriminator_phase(batch, fakes).total.backward()
        assert fakes[name].grad[:, :3].abs().sum() > 0


# Losses and settings.


@pytest.mark.parametrize("seen", [FIRST, SECOND])
@pytest.mark.parametrize("kind", ["lsgan", "hinge"])
def test_losses_are_finite_in_both_parts(seen, kind, batch, small_config, method_of) -> None:
    settings = {"method": "uaggan", "total_images": 100, "uaggan": {"attention_width": 4}}
    method = method_of(small_config(**settings, adversarial=kind))
    batch = batch._replace(num_images_seen=seen)
    wanted = method.generator_phase(batch)
    judged = method.discriminator_phase(batch, detached(wanted.fakes))
    for value in (wanted.total, judged.total, *wanted.terms.values(), *judged.terms.values()):
        assert value.isfinite()


def test_the_settings_are_the_papers(batch, config, method_of) -> None:
    paper = TrainConfig(method="uaggan")
    assert paper.learning_rate == 1e-4
    assert (paper.loss.cycle, paper.loss.identity, paper.adversarial) == (10, 0, "lsgan")
    assert (paper.uaggan.switch_fraction, paper.uaggan.threshold) == (0.3, 0.1)
    phase = method_of(config).generator_phase(batch)
    assert set(phase.terms) == {"adversarial_a", "adversarial_b", "cycle_a", "cycle_b"}
    total = sum(value * (10 if "cycle" in name else 1) for name, value in phase.terms.items())
    assert phase.total.item() == pytest.approx(total.item())


def test_identity_may_be_asked_for(batch, small_config, method_of) -> None:
    settings = {"method": "uaggan", "uaggan": {"attention_width": 4}, "loss": {"identity": 1.0}}
    terms = method_of(small_config(**settings)).generator_phase(batch).terms
    assert {"identity_a", "identity_b"} <= set(terms)


def test_labels_as_one_channel_per_class_are_refused() -> None:
    with pytest.raises(ValidationError, match="needs conditioning 'rgb'"):
        TrainConfig(method="uaggan", conditioning="onehot")
