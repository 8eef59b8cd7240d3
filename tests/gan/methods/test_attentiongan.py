import pytest
import torch
from pydantic import ValidationError

from gan.config import GeneratorConfig, LossWeights, TrainConfig
from gan.losses import l1_loss, total_variation_loss
from gan.methods.attentiongan import weights_at
from gan.methods.registry import METHODS

SOFTMAX = {"method": "attentiongan", "generator": {"width": 4, "num_blocks": 1}}
SIGMOID = SOFTMAX | {"attentiongan": {"variant": "v1"}}
SHAPE_CHANGE = {
    "method": "attentiongan",
    "generator": {"width": 4, "num_blocks": 1, "num_masks": 3, "keeps_input": False},
}


def test_the_variants_have_their_papers_settings() -> None:
    softmax = TrainConfig(method="attentiongan")
    assert (softmax.generator.num_masks, softmax.generator.keeps_input) == (10, True)
    assert softmax.loss == LossWeights()
    sigmoid = TrainConfig(method="attentiongan", attentiongan={"variant": "v1"})
    assert (sigmoid.generator.num_masks, sigmoid.generator.keeps_input) == (1, True)
    assert (sigmoid.loss.pixel, sigmoid.loss.mask_variation, sigmoid.loss.cycle) == (1, 1e-6, 10)
    assert sigmoid.essence() == sigmoid


def test_softmax_masks_are_cyclegan_with_another_generator(batch, small_config, method_of) -> None:
    config = small_config(**SOFTMAX)
    one = method_of(config)
    other = METHODS["cyclegan"].method(config, one.domain, one.generators)
    other.load_state_dict(one.state_dict())
    wanted, expected = one.generator_phase(batch), other.generator_phase(batch)
    assert wanted.total.item() == pytest.approx(expected.total.item())
    assert wanted.terms.keys() == expected.terms.keys()


def test_the_mask_of_the_label_is_not_used(batch, small_config, method_of) -> None:
    method = method_of(small_config(**SOFTMAX))
    hidden = batch._replace(attention_a=torch.zeros_like(batch.attention_a))
    assert torch.equal(method.generator_phase(batch).total, method.generator_phase(hidden).total)


def test_a_single_mask_is_kept_smooth_and_its_picture_near_the_input(batch, small_config, method_of) -> None:
    method = method_of(small_config(**SIGMOID))
    batch = batch._replace(image_a=batch.clean_a / 2)  # its noise is no part of the input to stay near to
    terms = method.generator_phase(batch).terms
    drawn_b, drawn_a = (
        method.generators["ab"].draw(batch.image_a),
        method.generators["ba"].draw(batch.image_b),
    )
    assert terms["pixel_b"] == l1_loss(drawn_b.image, batch.clean_a)
    assert terms["pixel_a"] == l1_loss(drawn_a.image, batch.image_b)
    assert terms["mask_variation_b"] == total_variation_loss(drawn_b.masks)
    assert terms["mask_variation_a"] == total_variation_loss(drawn_a.masks)


def test_total_variation_by_hand() -> None:
    masks = torch.zeros(2, 1, 3, 4)
    masks[0, 0, 1, 1] = 1.0  # four neighbours, and the other image is flat
    assert total_variation_loss(masks).item() == 2.0


def test_the_adversarial_losses_lead_at_first() -> None:
    config = TrainConfig(method="attentiongan", attentiongan={"variant": "v1"}, total_images=2_000)
    early, late = weights_at(99, config), weights_at(100, config)
    assert (early.cycle, early.pixel) == pytest.approx((0.1, 0.01))
    assert (early.adversarial_a, early.adversarial_b) == pytest.approx((0.495, 0.495))
    assert early.mask_variation == pytest.approx(0.99e-6)
    assert (late.cycle, late.pixel, late.adversarial_b) == pytest.approx((5, 0.5, 0.25))
    assert weights_at(0, TrainConfig(method="attentiongan")) == LossWeights()


def test_the_curriculum_reaches_the_total(batch, small_config, method_of) -> None:
    method = method_of(small_config(**SIGMOID, total_images=100))
    for num_images_seen in (0, 50):
        phase = method.generator_phase(batch._replace(num_images_seen=num_images_seen))
        weights = weights_at(num_images_seen, method.config)
        total = sum(weights.of(name) * value for name, value in phase.terms.items())
        assert phase.total.item() == pytest.approx(total.item())


def test_labels_in_channels_of_their_own_cannot_be_kept(small_config, onehot, method_of) -> None:
    with pytest.raises(ValidationError, match="onehot.*generator.keeps_input to false"):
        small_config(**SOFTMAX, conditioning="onehot")
    with pytest.raises(ValidationError, match="loss.pixel"):
        small_config(**SHAPE_CHANGE, conditioning="onehot", loss={"pixel": 1.0})
    method = method_of(small_config(**SHAPE_CHANGE, conditioning="onehot"), channels=4)
    assert method.generator_phase(onehot(4)).total.isfinite()


def test_it_needs_masks() -> None:
    with pytest.raises(ValidationError, match="num_masks"):
        TrainConfig(method="attentiongan", generator=GeneratorConfig())


def test_attention_0_shows_the_label(labels, small_config, batch, method_of) -> None:
    generators = method_of(small_config(**SIGMOID)).generators
    with torch.no_grad():
        generators["ab"].head.weight[0].zero_()
        generators["ab"].head.bias[0] = -99.0
    kept = generators.draw_b(batch.image_a, batch.attention_a, None)
    torch.testing.assert_close(kept, batch.image_a, rtol=0, atol=1e-6)
