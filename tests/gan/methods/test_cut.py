"""CUT and FastCUT: one generator, one discriminator, and patches that know their place."""

import pytest
import torch
from torch import nn

import gan.training_loop
from gan.config import CutConfig, GeneratorConfig, TrainConfig
from gan.methods.cut import CUT
from gan.snapshot import Snapshot
from gan.training_state import TrainingState
from gan.translator import Translator

METHODS = ["cut", "fastcut"]


def num_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("method", METHODS)
def test_networks_have_the_papers_sizes(method, method_of) -> None:
    networks = method_of(TrainConfig(method=method))
    assert {name: num_parameters(net) for name, net in networks.generators.items()} == {"ab": 11_378_179}
    assert {name: num_parameters(net) for name, net in networks.discriminators.items()} == {"b": 2_764_737}
    # RGB, 128 and 256 channels from the downsamplings, 256 from the blocks; each has two layers of 256.
    channels = (3, 128, 256, 256, 256)
    assert num_parameters(networks.companions) == sum((c + 1) * 256 + 257 * 256 for c in channels)


def test_presets_are_the_papers() -> None:
    cut, fastcut = TrainConfig(method="cut"), TrainConfig(method="fastcut")
    assert (cut.loss.nce, cut.cut.identity, cut.cut.flip_equivariance) == (1, True, False)
    assert (fastcut.loss.nce, fastcut.cut.identity, fastcut.cut.flip_equivariance) == (10, False, True)
    assert cut.pool_images == fastcut.pool_images == 0


@pytest.mark.parametrize(
    ("blocks", "downs", "last"), [(9, 2, "block4"), (16, 2, "block4"), (4, 2, "block3"), (1, 1, "block0")]
)
def test_layers_are_the_papers_or_the_nearest_to_them(blocks, downs, last) -> None:
    layers = CutConfig().layers_of(GeneratorConfig(num_blocks=blocks, num_downsamplings=downs))
    assert layers[:2] == ("image", "down0")
    assert ("down1" in layers) == (downs > 1)
    assert layers[-1] == last
    assert len(set(layers)) == len(layers)


def test_layers_can_be_named_or_numbered_as_in_the_papers_code() -> None:
    generator = GeneratorConfig()
    assert CutConfig(layers=[16, 0, 4, 8, 12]).layers_of(generator) == CutConfig().layers_of(generator)
    assert CutConfig(layers=["block2", "image"]).layers_of(generator) == ("image", "block2")


@pytest.mark.parametrize("layers", [[5], ["block9"], ["down2"], []])
def test_a_layer_that_is_not_there_is_refused(layers) -> None:
    with pytest.raises(ValueError, match=r"cut\.layers"):
        TrainConfig(method="cut", cut={"layers": layers})


def test_features_are_those_that_the_generator_passes(method_of, batch, small_config) -> None:
    generator = method_of(small_config(method="cut", generator={"width": 4, "num_blocks": 3})).generators[
        "ab"
    ]
    image, down, first, last = generator.features(batch.image_a, ["image", "down1", "block0", "block2"])
    assert torch.equal(image, batch.image_a)
    assert down.shape == (2, 16, 4, 6)
    assert torch.equal(last, generator.encode(batch.image_a)[1])
    assert torch.equal(last, generator.blocks[2](generator.blocks[1](first)))


@pytest.mark.parametrize("method", METHODS)
def test_there_is_one_way_and_one_discriminator(method, method_of, batch, detached, small_config) -> None:
    networks = method_of(small_config(method=method))
    wanted = networks.generator_phase(batch)
    assert set(wanted.terms) == {"adversarial_b", "nce"}
    judged = networks.discriminator_phase(batch, detached(wanted.fakes))
    assert set(judged.terms) == {"discriminator_b", "accuracy_b"}


def test_the_projector_and_the_encoder_learn_from_queries(method_of, batch, small_config) -> None:
    """NCE alone moves projector and encoder, also where autocast keeps the weights that it has cast."""
    method = method_of(small_config(method="cut", loss={"adversarial_b": 0, "nce": 1}))
    with torch.autocast("cpu", torch.bfloat16):
        total = method.generator_phase(batch).total
    total.backward()
    for network in (method.companions, method.generators["ab"].stem, method.generators["ab"].head):
        assert all(weight.grad.isfinite().all() for weight in network.parameters())
        assert any(weight.grad.abs().sum() > 0 for weight in network.parameters())


def test_identity_counts_as_much_as_the_labels(method_of, batch, small_config) -> None:
    """nce = (nce of labels + nce of photographs) / 2, as the original has it."""
    alone = method_of(small_config(method="cut", cut={"identity": False}))
    both = method_of(small_config(method="cut"))
    of_labels = alone.generator_phase(batch).terms["nce"]
    of_photos = alone.generator_phase(batch._replace(image_a=batch.image_b)).terms["nce"]
    assert both.generator_phase(batch).terms["nce"].item() == pytest.approx(
        0.5 * (of_labels + of_photos).item(), rel=1e-4
    )


def test_fastcut_draws_some_labels_mirrored_and_shows_all_upright(method_of, batch, small_config) -> None:
    method = method_of(small_config(method="fastcut"))
    drawn_inputs = []
    generator = method.generators["ab"]
    generator.register_forward_pre_hook(lambda _, inputs: drawn_inputs.append(inputs[0]))
    fakes = [
        method.generator_phase(batch._replace(num_images_seen=number)).fakes["b"]
        for number in range(0, 16, 2)
    ]
    mirrored = 0
    for drawn_from, fake_b in zip(drawn_inputs[:], fakes, strict=True):
        for n in range(2):
            is_mirrored = torch.equal(drawn_from[n], batch.image_a[n].flip(-1))
            assert is_mirrored or torch.equal(drawn_from[n], batch.image_a[n])
            expected = generator(drawn_from[n : n + 1])[0]
            torch.testing.assert_close(fake_b[n], expected.flip(-1) if is_mirrored else expected)
            mirrored += is_mirrored
    assert 2 < mirrored < 14


def test_a_mirrored_patch_is_compared_with_its_own_place(method_of, batch, small_config) -> None:
    """A generator that changes nothing knows every patch, mirrored or not."""
    method = method_of(small_config(method="fastcut", cut={"layers": ["image"], "num_patches": 64}))
    real = torch.randn(2, 3, 16, 24)
    mirrored = torch.tensor([True, False]).view(2, 1, 1, 1)
    drawn_b = torch.where(mirrored, real.flip(-1), real)
    known = method.nce(real, drawn_b, mirrored, batch)
    for other in (method.nce(real, drawn_b, ~mirrored, batch), method.nce(real, drawn_b, None, batch)):
        assert known < other


@pytest.mark.parametrize("method", METHODS)
def test_onehot_labels_and_photographs_have_channels_of_their_own(
    method, method_of, onehot, small_config
) -> None:
    networks = method_of(small_config(method=method, conditioning="onehot"), channels=4)
    batch = onehot(4)
    label, photo = networks.generators.input_a(batch.image_a), networks.generators.input_b(batch.image_b)
    assert label.shape[1] == photo.shape[1] == 7
    assert torch.equal(label[:, :4], batch.image_a) and not label[:, 4:].any()
    assert torch.equal(photo[:, 4:], batch.image_b) and not photo[:, :4].any()
    assert networks.generator_phase(batch).total.isfinite()


@pytest.mark.parametrize("method", METHODS)
def test_a_phase_is_a_function_of_its_batch(method, method_of, batch, small_config) -> None:
    networks = method_of(small_config(method=method, cut={"num_patches": 8}))
    torch.manual_seed(1)
    first = networks.generator_phase(batch)
    torch.manual_seed(2)
    assert torch.equal(first.total, networks.generator_phase(batch).total)
    assert not torch.equal(first.total, networks.generator_phase(batch._replace(num_images_seen=2)).total)


@pytest.mark.parametrize("changes", [{"method": "cut"}, {"method": "fastcut", "conditioning": "onehot"}])
def test_a_snapshot_draws_at_any_size_what_the_averaged_weights_draw(changes, labels, small_config) -> None:
    state = TrainingState(small_config(**changes), labels, torch.device("cpu"))
    assert isinstance(state.method, CUT)
    snapshot = Snapshot.of(state.ema.network, labels, state.config, 1)
    snapshot = Snapshot.from_bytes(snapshot.to_bytes())
    assert all(name.startswith("ab.") for name in snapshot.weights)  # projector and discriminator stay behind
    translator = Translator(snapshot, device="cpu", precision="fp32")
    label_maps = torch.randint(0, 3, (2, 17, 23), dtype=torch.uint8).numpy()
    noise = torch.randint(0, 256, (2, 17, 23), dtype=torch.uint8).numpy()
    pictures = translator.translate(label_maps, noise)
    assert pictures.shape == (2, 17, 23, 3)
    whole = translator.translate(label_maps[:, :16, :20], noise[:, :16, :20])
    conditioned = state.conditioning(*(torch.from_numpy(x[:, :16, :20].copy()) for x in (label_maps, noise)))
    drawn = state.ema.network.draw_b(conditioned.image_a, conditioned.attention_a, None)
    expected = gan.data.to_uint8(drawn.detach()).numpy()
    assert abs(whole.astype(int) - expected.astype(int)).max() <= 1
