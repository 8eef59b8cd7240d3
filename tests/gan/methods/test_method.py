"""What holds of every method: who trains in each phase, who sees what, what a snapshot draws."""

import numpy as np
import pytest
import torch

from gan.config import NoiseConfig
from gan.noise import noise_onehot, noise_rgb
from gan.snapshot import Snapshot
from gan.training_state import TrainingState
from gan.translator import Translator

CPU = torch.device("cpu")
SMALL = {"width": 4, "num_blocks": 1}
LIGHT = {"light": True, "global_layers": 4, "local_layers": 3}
VARIANTS = {
    **{f"background {name}": {"background": name} for name in ("generate", "mask_both", "photo", "keep")},
    "onehot": {"conditioning": "onehot"},
    "cyclegan": {"method": "cyclegan"},
    "paired": {"method": "cyclegan", "paired": True},
    "uaggan": {"method": "uaggan", "uaggan": {"attention_width": 4}},
    "attentiongan": {"method": "attentiongan", "generator": SMALL},
    "attentiongan v1": {"method": "attentiongan", "attentiongan": {"variant": "v1"}, "generator": SMALL},
    "shape change": {
        "method": "attentiongan",
        "generator": SMALL | {"num_masks": 3, "keeps_input": False},
    },
    "cut": {"method": "cut"},
    "cut onehot": {"method": "cut", "conditioning": "onehot"},
    "fastcut": {"method": "fastcut"},
    "fastcut onehot": {"method": "fastcut", "conditioning": "onehot"},
    "segback": {"method": "segback"},
    "segback cycle": {"method": "segback", "loss": {"cycle": 1.0}},
    "ugatit light": {"method": "ugatit", "ugatit": LIGHT},
    "ugatit full": {"method": "ugatit", "ugatit": LIGHT | {"light": False}},
    "ugatit classifiers alone": {
        "method": "ugatit",
        "ugatit": LIGHT | {"discriminator_cam_attention": False},
    },
    "ugatit patches alone": {"method": "ugatit", "ugatit": LIGHT | {"discriminator_cam": False}},
}

ONE_WAY = ("cut", "cut onehot", "fastcut", "fastcut onehot", "segback")
JUDGE_LABELS = {name: changes for name, changes in VARIANTS.items() if name not in ONE_WAY}
"""Those with a discriminator of labels."""


@pytest.fixture(params=VARIANTS.values(), ids=VARIANTS)
def changes(request) -> dict:
    return request.param


@pytest.fixture
def shown(batch, onehot):
    """The batch in the channels that a config's networks want."""
    return lambda config: onehot() if config.conditioning == "onehot" else batch


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_each_phase_trains_its_own_networks_only(
    changes, precision, labels, small_config, shown, detached
) -> None:
    state = TrainingState(small_config(**changes), labels, CPU)
    method, batch = state.method, shown(state.config)
    for phase in ("generators", "discriminators"):
        method.zero_grad(set_to_none=True)
        state.train_only(phase)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            if phase == "generators":
                loss = wanted = method.generator_phase(batch)
            else:
                loss = method.discriminator_phase(batch, detached(wanted.fakes))
        assert loss.total.isfinite()
        loss.total.backward()
        trained = {id(weight) for weight in method.weights(phase)}
        for name, weight in method.named_parameters():
            assert (weight.grad is not None) == (id(weight) in trained), name
            assert weight.grad is None or weight.grad.isfinite().all(), name
            if precision == "fp32" and id(weight) in trained and name.endswith("weight"):
                assert weight.grad.any(), name  # instance norm takes most biases back


def test_every_discriminator_sees_the_fakes_of_its_domain(
    changes, small_config, method_of, shown, detached
) -> None:
    config = small_config(**changes)
    method, batch = method_of(config), shown(config)
    wanted = method.generator_phase(batch)
    assert set(wanted.fakes) == set(method.discriminators)
    for domain in wanted.fakes:
        fakes = detached(wanted.fakes)
        fakes[domain].requires_grad_()
        method.discriminator_phase(batch, fakes).total.backward()
        assert fakes[domain].grad.abs().sum() > 0


@pytest.mark.parametrize("changes", JUDGE_LABELS.values(), ids=JUDGE_LABELS, indirect=True)
def test_a_perfect_fake_of_a_label_has_the_noise_that_labels_have(
    changes, small_config, method_of, shown, plain_discriminators, detached
) -> None:
    """Or the discriminator of labels would know every fake by its noise, or by the lack of it."""
    noise, config = NoiseConfig(amount=0.4), small_config(**changes)
    method, batch = method_of(config, noise=noise), shown(config)
    add_noise = noise_onehot if config.conditioning == "onehot" else noise_rgb
    level = torch.rand(batch.noise_level.shape) * 2 - 1
    batch = batch._replace(image_a=add_noise(batch.clean_a, level, noise), noise_level=level)
    drawn = method.generators.draw_a(batch.image_b)
    wanted, discriminators = (
        method.generator_phase(batch),
        dict(zip(method.discriminators, plain_discriminators(method), strict=True)),
    )
    fake_a = wanted.fakes["a"][:, : drawn.shape[1]]
    torch.testing.assert_close(fake_a, add_noise(drawn, level, noise))
    assert (fake_a - drawn).abs().max() > 0.01
    method.discriminator_phase(batch, detached(wanted.fakes))
    assert any(torch.equal(seen, batch.image_a) for seen in discriminators["a"].shown)


def test_a_snapshot_draws_with_the_same_weights_at_any_size(changes, labels, small_config) -> None:
    state = TrainingState(small_config(**changes), labels, CPU)
    taken = Snapshot.of(state.ema.network, labels, state.config, 1)
    reread = Translator(Snapshot.from_bytes(taken.to_bytes()), device="cpu", precision="fp32")
    assert reread.generators.state_dict().keys() == state.ema.network.state_dict().keys()
    for name, weight in state.ema.network.state_dict().items():
        assert torch.equal(weight, reread.generators.state_dict()[name])
    height, width = reread.generators.only_size or (17, 23)
    random = np.random.default_rng(0)
    label_maps = random.integers(0, 3, (2, height, width), dtype=np.uint8)
    photos = random.integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    pictures = reread.translate(label_maps, label_maps, photos if reread.needs_photos else None)
    assert pictures.shape == (2, height, width, 3)
    if reread.reads_labels:
        assert reread.read_labels(photos).shape == (2, height, width)
