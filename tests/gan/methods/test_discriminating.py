import pytest
import torch

from gan.methods.discriminating import Shown, discriminate


def slope_of(steepness: float):
    """A discriminator whose logit for a patch is a multiple of the patch's value."""
    return lambda image: [steepness * image[:, :1, ::4, ::4]]


def shown(batch, discriminator) -> dict[str, Shown]:
    return {
        "a": Shown(discriminator, batch.clean_a, batch.image_a),
        "b": Shown(discriminator, batch.image_b, batch.image_b),
    }


def test_r1_is_the_energy_of_the_gradient_per_patch(batch, small_config) -> None:
    config = small_config(loss={"r1": 10.0}, r1_every_steps=1)
    judged = discriminate(shown(batch, slope_of(3.0)), batch, config)
    assert judged.terms["r1_a"].item() == pytest.approx(9.0)
    assert judged.terms["r1_b"].item() == pytest.approx(9.0)
    plain = discriminate(shown(batch, slope_of(3.0)), batch, small_config())
    assert (judged.total - plain.total).item() == pytest.approx(10.0 / 2 * (9.0 + 9.0))


def test_r1_does_not_add_up_over_patches_that_see_the_same(batch, small_config) -> None:
    def sees_all(image):
        return [3.0 * image.sum((1, 2, 3), keepdim=True).expand(-1, 1, 6, 8)]

    config = small_config(loss={"r1": 1.0}, r1_every_steps=1)
    moments = [batch._replace(num_images_seen=2 * step) for step in range(400)]
    penalties = [discriminate(shown(moment, sees_all), moment, config).terms["r1_b"] for moment in moments]
    of_a_patch = 9.0 * batch.image_b[0].numel()
    assert torch.stack(penalties).mean().item() == pytest.approx(of_a_patch, rel=0.25)


def test_r1_is_due_once_in_so_many_steps_and_weighs_as_many_times_as_much(batch, small_config) -> None:
    config = small_config(loss={"r1": 1.0}, r1_every_steps=3, batch_size=2)
    due = []
    for step in range(6):
        moment = batch._replace(num_images_seen=2 * step)
        due.append("r1_b" in discriminate(shown(batch, slope_of(1.0)), moment, config).terms)
    assert due == [True, False, False, True, False, False]
    lazy = discriminate(shown(batch, slope_of(1.0)), batch, config).total
    eager = discriminate(
        shown(batch, slope_of(1.0)), batch, small_config(loss={"r1": 3.0}, r1_every_steps=1)
    ).total
    assert lazy.item() == pytest.approx(eager.item())


def test_r1_teaches_the_discriminator_to_be_flat(batch, small_config, method_of, detached) -> None:
    method = method_of(small_config(loss={"r1": 10.0}, discriminator={"width": 4, "num_layers": 2}))
    fakes = detached(method.generator_phase(batch).fakes)
    penalty = method.discriminator_phase(batch, fakes).terms["r1_b"]
    optimizer = torch.optim.Adam(method.discriminators.parameters(), lr=1e-3)
    for _ in range(3):
        optimizer.zero_grad()
        method.discriminator_phase(batch, fakes).total.backward()
        optimizer.step()
    assert method.discriminator_phase(batch, fakes).terms["r1_b"] < penalty


def test_blurred_photographs_count_where_photographs_do(batch, small_config) -> None:
    """Outside the mask, where they are black, their verdict means nothing."""
    weight = torch.zeros(2, 1, 16, 24)
    weight[..., 12:] = 1

    def says_real_on_the_left(image):
        logits = torch.zeros_like(image[:, :1])
        logits[..., :12] = 1
        return [logits]

    seen = {"b": shown(batch, says_real_on_the_left)["b"]._replace(real_weight=weight)}
    assert discriminate(seen, batch, small_config(loss={"blur": 1.0})).terms["blur_b"] == 0
    elsewhere = {"b": seen["b"]._replace(real_weight=1 - weight)}
    assert discriminate(elsewhere, batch, small_config(loss={"blur": 1.0})).terms["blur_b"] == 0.5


def test_blurred_photographs_are_to_be_called_fake(batch, small_config) -> None:
    plain, with_blur = small_config(), small_config(loss={"blur": 2.0})

    def always_real(image):
        return [torch.ones(len(image), 1, 2, 2)]

    judged = discriminate(shown(batch, always_real), batch, with_blur)
    assert judged.terms["blur_b"].item() == pytest.approx(0.5)
    assert "blur_a" not in judged.terms
    without = discriminate(shown(batch, always_real), batch, plain).total
    assert judged.total.item() == pytest.approx(without.item() + 2.0 * 0.5)
