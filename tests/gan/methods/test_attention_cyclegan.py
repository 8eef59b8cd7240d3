import pytest
import torch
from torch import nn

from gan.config import NoiseConfig
from gan.noise import noise_rgb


def test_kept_background_is_the_labels_own_pixels(batch, small_config, method_of) -> None:
    fake_b = method_of(small_config(background="keep")).generator_phase(batch).fakes["b"]
    assert torch.equal(fake_b[..., :12], batch.image_a[..., :12])
    assert not torch.equal(fake_b[..., 12:], batch.image_a[..., 12:])


def test_generated_background_is_drawn(batch, small_config, method_of) -> None:
    fake_b = method_of(small_config()).generator_phase(batch).fakes["b"]
    assert not torch.equal(fake_b[..., :12], batch.image_a[..., :12])


def test_mask_both_hides_the_background_of_photographs_from_the_discriminator(
    batch, small_config, method_of, detached
) -> None:
    method = method_of(small_config(background="mask_both"))
    fakes = detached(method.generator_phase(batch).fakes)
    assert fakes["b"].shape[1] == 4  # a fake and its mask stay together in the pool
    changed = batch.image_b.clone()
    changed[..., :12] += 0.5
    loss = method.discriminator_phase(batch, fakes).total
    assert torch.equal(loss, method.discriminator_phase(batch._replace(image_b=changed), fakes).total)
    changed[..., 12:] += 0.5
    assert not torch.equal(loss, method.discriminator_phase(batch._replace(image_b=changed), fakes).total)


def test_the_mask_weighs_the_cycle_when_the_background_is_drawn(batch, small_config, method_of) -> None:
    config = small_config(loss={"background": 0.0})
    weight = method_of(config).label_weight(batch)
    assert torch.equal(weight, batch.attention_a)


@pytest.mark.parametrize("background", ["keep", "mask_both", "photo"])
def test_a_background_that_is_not_drawn_weighs_nothing(background, batch, small_config, method_of) -> None:
    weight = method_of(small_config(background=background)).label_weight(batch)
    assert torch.equal(weight, batch.attention_a)
    drawn = method_of(small_config()).label_weight(batch)
    assert torch.equal(drawn, batch.attention_a.clamp(min=0.5))


def test_identity_needs_the_same_channels_in_both_domains(batch, small_config, method_of, onehot) -> None:
    method = method_of(small_config(conditioning="onehot"), channels=4)
    assert "identity_a" not in method.generator_phase(onehot(4)).terms
    assert "identity_a" in method_of(small_config()).generator_phase(batch).terms


@pytest.mark.parametrize("background", ["generate", "keep", "mask_both", "photo"])
def test_each_cycle_returns_to_the_image_that_it_started_from(
    background, batch, small_config, method_of
) -> None:
    method = method_of(small_config(background=background))
    method.generators.update({"ab": nn.Identity(), "ba": nn.Identity()})
    whole = batch._replace(attention_a=torch.ones_like(batch.attention_a))
    terms = method.generator_phase(whole).terms
    for term in ("cycle_a", "cycle_b", "identity_a", "identity_b"):
        assert terms[term] == pytest.approx(0, abs=1e-6)


def test_the_way_back_has_the_same_mask(batch, small_config, method_of) -> None:
    class Inverted(nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return -image

    method = method_of(small_config(background="keep"))
    method.generators.update({"ab": nn.Identity(), "ba": Inverted()})
    nothing = batch._replace(attention_a=torch.zeros_like(batch.attention_a))
    assert method.generator_phase(nothing).terms["cycle_a"] == 0
    assert method.generator_phase(batch).terms["cycle_a"] > 0


def test_mask_both_counts_patches_under_the_mask_only(
    batch, small_config, method_of, plain_discriminators, detached
) -> None:
    method = method_of(small_config(background="mask_both"))
    plain_discriminators(method)
    wanted = method.generator_phase(batch)
    under = slice(12, None)
    fake, real = wanted.fakes["b"][:, :3, :, under].mean(1), batch.image_b[..., under].mean(1)
    assert wanted.terms["adversarial_b"].item() == pytest.approx((fake - 1).square().mean().item())
    fakes = detached(wanted.fakes)
    terms = method.discriminator_phase(batch, fakes).terms
    by_hand = 0.5 * ((real - 1).square().mean() + fake.square().mean())
    assert terms["discriminator_b"].item() == pytest.approx(by_hand.item())
    right = 0.5 * ((real > 0.5).float().mean() + (fake <= 0.5).float().mean())
    assert terms["accuracy_b"].item() == pytest.approx(right.item())


def test_a_background_that_weighs_nothing_does_not_count_where_a_label_is_compared(
    batch, small_config, method_of
) -> None:
    method = method_of(small_config(loss={"background": 0.0}))
    changed = batch.clean_a.clone()
    changed[..., :12] += 0.5
    before = method.generator_phase(batch).terms
    after = method.generator_phase(batch._replace(clean_a=changed)).terms
    for term in ("cycle_a", "identity_a"):
        assert torch.equal(before[term], after[term])
    changed[..., 12:] += 0.5
    for term in ("cycle_a", "identity_a"):
        assert not torch.equal(
            before[term], method.generator_phase(batch._replace(clean_a=changed)).terms[term]
        )


def test_drawn_labels_get_the_noise_of_labels(batch, small_config, method_of) -> None:
    noise = NoiseConfig(amount=0.4)
    method = method_of(small_config(), noise=noise)
    level = torch.full_like(batch.noise_level, 0.7)
    drawn = method.generators["ba"](batch.image_b)
    fake_a = method.generator_phase(batch._replace(noise_level=level)).fakes["a"]
    assert torch.equal(fake_a, noise_rgb(drawn, level, noise))
    assert not torch.equal(fake_a, drawn)


def test_a_pasted_background_comes_from_another_photograph(batch, small_config, method_of) -> None:
    fake_b = method_of(small_config(background="photo")).generator_phase(batch).fakes["b"]
    assert torch.equal(fake_b[0, ..., :12], batch.image_b[1, ..., :12])


def test_the_way_back_is_aimed_at_the_clean_label(batch, small_config, method_of) -> None:
    method = method_of(small_config(loss={"background": 1.0}))
    method.generators.update({"ab": nn.Identity(), "ba": nn.Identity()})
    noised = batch._replace(image_a=batch.clean_a + 0.25)
    terms = method.generator_phase(noised).terms
    assert terms["cycle_a"].item() == pytest.approx(0.25)
    assert terms["identity_a"].item() == pytest.approx(0.25)


@pytest.mark.parametrize("background", ["generate", "keep", "mask_both", "photo"])
def test_pairs_are_compared_where_something_is_drawn(background, batch, small_config, method_of) -> None:
    method = method_of(small_config(background=background, paired=True, loss={"background": 0.0}))
    outside = batch.image_b.clone()
    outside[..., :12] += 0.5
    label_outside = batch.clean_a.clone()
    label_outside[..., :12] += 0.5
    method.generators.update({"ba": nn.Identity()})
    before = method.generator_phase(batch).terms
    other_photo = method.generator_phase(batch._replace(image_b=outside)).terms
    assert torch.equal(before["paired_b"], other_photo["paired_b"]) == (background != "generate")
    other_label = method.generator_phase(batch._replace(clean_a=label_outside)).terms
    assert torch.equal(before["paired_a"], other_label["paired_a"])


def test_rare_classes_can_weigh_more_where_a_label_is_compared(batch, small_config, method_of) -> None:
    label_map = torch.zeros_like(batch.label_map)
    label_map[:, 0, :4] = 2
    rare = batch._replace(label_map=label_map, attention_a=torch.ones_like(batch.attention_a))
    weight = method_of(small_config(loss={"class_balance": 1.0})).label_weight(rare)
    assert weight.mean().item() == pytest.approx(1.0)
    is_rare = label_map.unsqueeze(1) == 2
    assert weight[is_rare].sum().item() == pytest.approx(weight[~is_rare].sum().item(), rel=1e-5)
    halfway = method_of(small_config(loss={"class_balance": 0.5})).label_weight(rare)
    assert 1 < halfway[is_rare].mean() < weight[is_rare].mean()
