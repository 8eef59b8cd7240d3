from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from gan.config import NoiseConfig, TrainConfig
from gan.noise import noise_rgb
from gan.preview import draw_preview
from gan.snapshot import Snapshot
from gan.training_state import TrainingState
from gan.translator import Translator

FIRST, SECOND = 29, 30  # images seen, with the switch at 30


@pytest.fixture
def config(small_config) -> TrainConfig:
    return small_config(method="uaggan", total_images=100, uaggan={"attention_width": 4})


class Inverts(nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return -image


def test_attention_0_returns_the_input_and_1_what_the_generator_drew(
    batch, config, method_of, attending
) -> None:
    method = method_of(config)
    generators = method.generators
    for left in (0.0, 1.0):
        attending(method, a=(left, 0.0), b=(left, 0.0))
        drawn_b = generators.draw_b(batch.image_a, batch.attention_a, batch.clean_a)
        for image, drawn, alone in (
            (batch.image_a, drawn_b, generators["ab"]),
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
    drawn_b = method.generators.draw_b(batch.image_a, no_mask, batch.clean_a)
    assert torch.equal(wanted.fakes["b"][:, :3], drawn_b)
    assert torch.allclose(wanted.fakes["a"][:, :3], method.generators.draw_a(batch.image_b), atol=1e-5)
    assert torch.equal(wanted.total, method.generator_phase(batch._replace(attention_a=no_mask)).total)


def test_the_way_back_asks_the_network_of_the_fakes_domain(batch, config, method_of, attending) -> None:
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


def test_the_way_back_is_aimed_at_the_clean_label(batch, config, method_of, attending) -> None:
    method = method_of(config)
    attending(method, a=(1.0, 1.0), b=(1.0, 1.0))
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


def test_what_is_kept_of_an_image_is_kept_without_noise(batch, config, method_of, attending) -> None:
    """The noise of labels in a picture would tell the discriminator of photographs that it is a fake."""
    method = method_of(config, noise=NoiseConfig(amount=0.4))
    attending(method, a=(0.0, 0.0), b=(0.0, 0.0))
    level = torch.full_like(batch.noise_level, 0.7)
    noised = batch._replace(image_a=noise_rgb(batch.clean_a, level, method.domain.noise), noise_level=level)
    wanted = method.generator_phase(noised)
    assert torch.equal(wanted.fakes["b"][:, :3], batch.clean_a)
    assert wanted.terms["cycle_a"] == wanted.terms["cycle_b"] == 0


def test_use_and_preview_keep_an_image_without_noise_too(batch, config, labels, attending, preview) -> None:
    state = TrainingState(config, labels, torch.device("cpu"))
    translator = Translator(Snapshot.of(state.ema.network, labels, config, 1), device="cpu", precision="fp32")
    attending(translator, a=(0.0, 0.0), b=(0.0, 0.0))
    label_maps = batch.label_map.numpy()
    pictures = translator.translate(label_maps, np.zeros_like(label_maps))
    assert np.array_equal(pictures, translator.conditioning.colors[label_maps])

    attending(SimpleNamespace(generators=state.ema.network), a=(0.0, 0.0), b=(0.0, 0.0))
    rows = [draw_preview(state, preview)[top : top + 16] for top in range(0, 6 * 18, 18)]
    assert np.array_equal(rows[1][:, :24], state.conditioning.colors[preview.label_map[0]])
    assert np.array_equal(rows[5][:, :24], preview.photo[0])  # there and back


def test_a_snapshot_draws_with_the_attention_that_was_learned(config, labels) -> None:
    state = TrainingState(config, labels, torch.device("cpu"))
    taken = Snapshot.of(state.ema.network, labels, state.config, 1)
    reread = Translator(Snapshot.from_bytes(taken.to_bytes()), device="cpu", precision="fp32")
    assert set(reread.generators) == {"ab", "ba", "attention_a", "attention_b"}
    label_maps = torch.randint(0, 3, (2, 17, 23), dtype=torch.uint8).numpy()
    pictures = reread.translate(label_maps, label_maps)
    with torch.no_grad():
        for name in ("attention_a", "attention_b"):
            for weight in reread.generators[name].parameters():
                weight.zero_()
    assert (reread.translate(label_maps, label_maps) != pictures).any()


@pytest.mark.parametrize("seen", [FIRST, SECOND])
@pytest.mark.parametrize("kind", ["lsgan", "hinge"])
def test_losses_are_finite_in_both_parts(seen, kind, batch, small_config, method_of, detached) -> None:
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
