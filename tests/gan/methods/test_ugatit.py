import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from gan.class_activation import class_activation_loss
from gan.conditioning import DomainA
from gan.config import TrainConfig
from gan.methods.registry import build_method
from gan.snapshot import Snapshot
from gan.translator import Translator
from gan.ugatit_generator import UgatitDrawn

SHALLOW = {"global_layers": 4, "local_layers": 3}


@pytest.fixture
def config(small_config):
    def make(*, light: bool = True, ugatit: dict | None = None, **changes) -> TrainConfig:
        sections = {"ugatit": SHALLOW | {"light": light} | (ugatit or {})}
        return small_config(method="ugatit", precision="fp32", **sections | changes)

    return make


def test_the_preset_is_the_papers() -> None:
    paper = TrainConfig(method="ugatit")
    assert (paper.learning_rate, paper.betas, paper.weight_decay) == (1e-4, (0.5, 0.999), 1e-4)
    assert (paper.constant_fraction, paper.adversarial, paper.pool_images) == (0.5, "lsgan", 0)
    weights = {name: paper.loss.of(name) for name in ("adversarial_a", "adversarial_b", "cycle_a")}
    weights |= {name: paper.loss.of(name) for name in ("identity_a", "cam_a", "cam_b")}
    assert list(weights.values()) == [1, 1, 10, 10, 1000, 1000]
    assert (paper.generator.width, paper.generator.num_blocks, paper.discriminator.width) == (64, 4, 64)
    assert (paper.ugatit.global_layers, paper.ugatit.local_layers, paper.ugatit.light) == (7, 5, False)


@pytest.mark.parametrize("light", [True, False])
def test_the_generators_total_is_the_papers(light, batch, config, method_of) -> None:
    weights = {"adversarial_a": 1, "adversarial_b": 1, "cycle": 10, "identity": 10, "cam": 1000}
    method = method_of(config(light=light, loss=weights)).eval()  # the norms stay as they are
    ab, ba = method.generators["ab"], method.generators["ba"]
    phase = method.generator_phase(batch)
    fake_b, fake_a = ab(batch.image_a).image, ba(batch.image_b).image
    same_b, same_a = ab(batch.image_b), ba(batch.image_a)
    expected = sum((logits - 1).square().mean() for logits in method.discriminators["b"](fake_b))
    expected += sum((logits - 1).square().mean() for logits in method.discriminators["a"](fake_a))
    expected += 10 * (ba(fake_b).image - batch.image_a).abs().mean()
    expected += 10 * (ab(fake_a).image - batch.image_b).abs().mean()
    expected += 10 * (same_b.image - batch.image_b).abs().mean()
    expected += 10 * (same_a.image - batch.image_a).abs().mean()
    expected += 1000 * class_activation_loss(ab(batch.image_a).logits, same_b.logits)
    expected += 1000 * class_activation_loss(ba(batch.image_b).logits, same_a.logits)
    assert phase.total.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("judges_classifier", [True, False])
def test_the_discriminators_total_is_the_papers(
    judges_classifier, batch, config, method_of, detached
) -> None:
    method = method_of(config(ugatit={"discriminator_cam": judges_classifier})).eval()
    fakes = detached(method.generator_phase(batch).fakes)
    expected, num_judgements = 0, 0
    for name, real in (("a", batch.image_a), ("b", batch.image_b)):
        discriminator = method.discriminators[name]
        for real_logits, fake_logits in zip(discriminator(real), discriminator(fakes[name]), strict=True):
            expected += (real_logits - 1).square().mean() + fake_logits.square().mean()
            num_judgements += 1
    assert num_judgements == (8 if judges_classifier else 4)
    total = method.discriminator_phase(batch, fakes).total
    assert total.item() == pytest.approx(expected.item(), rel=1e-5)


class Known(nn.Module):
    """Draws its input, and knows which constant image is to be translated."""

    def __init__(self, source: float):
        super().__init__()
        self.source = source

    def forward(self, image: torch.Tensor, attention: torch.Tensor | None = None) -> UgatitDrawn:
        sign = 1.0 if image.mean().item() == pytest.approx(self.source) else -1.0
        return UgatitDrawn(image, torch.full((len(image), 2), 20 * sign), image.mean(1, keepdim=True), None)


def test_generators_tell_images_to_translate_from_those_of_their_own_domain(batch, config, method_of) -> None:
    method = method_of(config())
    apart = batch._replace(
        image_a=torch.full_like(batch.image_a, -0.5),
        clean_a=torch.full_like(batch.clean_a, -0.5),
        image_b=torch.full_like(batch.image_b, 0.5),
    )
    for ab, ba, low, high in ((-0.5, 0.5, 0, 1e-6), (0.5, -0.5, 39, 41)):
        method.generators.update({"ab": Known(ab), "ba": Known(ba)})
        terms = method.generator_phase(apart).terms
        for term in ("cycle_a", "cycle_b", "identity_a", "identity_b"):
            assert terms[term] == 0
        for term in ("cam_a", "cam_b"):
            assert low <= terms[term] <= high


def test_the_mask_is_not_used_unless_an_option_names_it(batch, config, method_of) -> None:
    hidden = batch._replace(attention_a=torch.zeros_like(batch.attention_a))
    for switch, uses in ((None, False), ("masks_cam_input", True), ("masks_features", True)):
        method = method_of(config(ugatit={switch: True} if switch else None)).eval()
        same = torch.equal(method.generator_phase(batch).total, method.generator_phase(hidden).total)
        assert same != uses


@pytest.mark.parametrize("switch", ["masks_cam_input", "masks_features"])
def test_what_comes_of_a_label_has_its_mask_and_what_comes_of_a_photograph_has_none(
    switch, batch, config, method_of
) -> None:
    method = method_of(config(ugatit={switch: True})).eval()
    ab, ba, attention = method.generators["ab"], method.generators["ba"], batch.attention_a
    terms = method.generator_phase(batch).terms
    from_a, from_b = ab(batch.image_a, attention), ba(batch.image_b)
    same_a, same_b = ba(batch.image_a, attention), ab(batch.image_b)
    expected = {
        "cycle_a": (ba(from_a.image, attention).image - batch.clean_a).abs().mean(),
        "cycle_b": (ab(from_b.image).image - batch.image_b).abs().mean(),
        "identity_a": (same_a.image - batch.clean_a).abs().mean(),
        "identity_b": (same_b.image - batch.image_b).abs().mean(),
        "cam_a": class_activation_loss(from_b.logits, same_a.logits),
        "cam_b": class_activation_loss(from_a.logits, same_b.logits),
    }
    for name, value in expected.items():
        assert terms[name].item() == pytest.approx(value.item(), rel=1e-5), name
    assert torch.equal(method.generators.draw_b(batch.image_a, attention, None), from_a.image)


def test_the_heat_map_of_masked_features_is_of_the_foreground(batch, config, method_of) -> None:
    generators = method_of(config(ugatit={"masks_features": True})).generators
    heat_map = generators.learned_attention_a(batch.image_a, batch.attention_a)
    assert not heat_map[..., :10].any()
    assert heat_map[..., 12:].any()


@pytest.mark.parametrize("changes", [{"loss": {"cam": 0}}, {"conditioning": "onehot"}])
def test_a_mask_of_what_no_loss_reads_is_refused(changes, config) -> None:
    with pytest.raises(ValueError, match=r"ugatit\.masks_cam_input true"):
        config(ugatit={"masks_cam_input": True}, **changes)
    assert config(ugatit={"masks_features": True}, **changes)


def test_identity_and_classifiers_need_the_same_channels_in_both_domains(onehot, config, method_of) -> None:
    batch = onehot(4)
    method = method_of(config(conditioning="onehot"), channels=4)
    terms = method.generator_phase(batch).terms
    assert set(terms) == {"adversarial_a", "adversarial_b", "cycle_a", "cycle_b"}
    assert method.generators.draw_b(batch.image_a, batch.attention_a, None).shape == (2, 3, 16, 24)
    assert method.generators.draw_a(batch.image_b).shape == (2, 4, 16, 24)


@pytest.mark.parametrize("off", ["identity", "cam"])
def test_either_of_identity_and_classifier_works_alone_and_the_other_is_not_computed(
    off, batch, config, method_of
) -> None:
    on = {"identity": "cam", "cam": "identity"}[off]
    phase = method_of(config(loss={off: 0})).generator_phase(batch)
    assert {f"{on}_a", f"{on}_b"} <= set(phase.terms)
    assert not {f"{off}_a", f"{off}_b"} & set(phase.terms)
    assert phase.total.isfinite()


def test_a_background_that_nobody_sees_cannot_be_the_renders(config) -> None:
    changes = {"conditioning": "render", "loss": {"fixed_background": 1.0}}
    with pytest.raises(ValueError, match=r"masks_features true .*fixed_background 1 .*keeps_input true"):
        config(ugatit={"masks_features": True}, **changes)
    keeping = {"width": 4, "num_blocks": 1, "num_masks": 2, "keeps_input": True}
    assert config(ugatit={"masks_features": True}, generator=keeping, **changes)
    assert config(ugatit={"masks_cam_input": True}, **changes)


def test_rho_is_brought_back_into_its_range(config, method_of) -> None:
    method = method_of(config())
    rhos = [weight for name, weight in method.generators.named_parameters() if name.endswith("rho")]
    assert len(rhos) == 2 * (2 + 2)
    with torch.no_grad():
        for rho in rhos:
            rho.add_(5)
    method.constrain()
    assert all((rho == 1).all() for rho in rhos)


def test_weights_start_as_pytorch_draws_them(config, method_of) -> None:
    method = method_of(config(generator={"width": 16, "num_blocks": 1}))
    weight = method.generators["ab"].blocks[0].conv_in.weight
    bound = 1 / math.sqrt(64 * 9)
    assert weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.05)
    other = method_of(config(generator={"width": 16, "num_blocks": 1}, seed=1))
    assert not torch.equal(weight, other.generators["ab"].blocks[0].conv_in.weight)


def test_a_copied_method_goes_on_alike(batch, config, method_of) -> None:
    method = method_of(config())
    copied = copy.deepcopy(method)
    for _ in range(2):
        assert torch.equal(method.generator_phase(batch).total, copied.generator_phase(batch).total)
    assert method.state_dict().keys() == copied.state_dict().keys()


def translator(labels, config) -> Translator:
    method = build_method(config, DomainA(3, 3, labels.noise))
    snapshot = Snapshot.of(method.generators, labels, config, 1)
    return Translator(Snapshot.from_bytes(snapshot.to_bytes()), device="cpu", precision="fp32")


@pytest.mark.parametrize(("height", "width"), [(16, 24), (17, 23), (1, 1), (5, 90)])
def test_the_light_form_translates_any_size(labels, config, height, width) -> None:
    label_maps = np.random.default_rng(0).integers(0, 3, (2, height, width), dtype=np.uint8)
    pictures = translator(labels, config()).translate(label_maps, np.zeros_like(label_maps))
    assert pictures.shape == (2, height, width, 3)


def test_the_full_form_translates_its_training_size_and_says_so(labels, config) -> None:
    draws = translator(labels, config(light=False))
    fitting = np.zeros((2, 16, 24), np.uint8)
    assert draws.translate(fitting, fitting).shape == (2, 16, 24, 3)
    larger = np.zeros((1, 32, 24), np.uint8)
    with pytest.raises(ValueError, match=r"24 x 32 px.* 24 x 16 px"):
        draws.translate(larger, larger)


def test_a_crop_too_small_for_the_global_discriminator_is_refused() -> None:
    assert TrainConfig(method="ugatit", width=96, height=96)
    with pytest.raises(ValueError, match=r"at least 96.*ugatit\.global_layers"):
        TrainConfig(method="ugatit", width=92, height=96)
