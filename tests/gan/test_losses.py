import pytest
import torch
import torch.nn.functional as F

from gan.losses import (
    adversarial_loss,
    class_balance,
    discriminator_accuracy,
    discriminator_loss,
    l1_loss,
    segmentation_loss,
)


def logits(*values: float) -> list[torch.Tensor]:
    return [torch.tensor(values).view(1, 1, 1, -1)]


def test_lsgan_by_hand() -> None:
    assert adversarial_loss(logits(1.0, 0.0), "lsgan").item() == pytest.approx(0.5)
    assert discriminator_loss(logits(1.0, 0.0), logits(0.0, 2.0), "lsgan").item() == pytest.approx(1.25)


def test_bce_and_hinge_by_hand() -> None:
    assert adversarial_loss(logits(0.0), "bce").item() == pytest.approx(0.6931, abs=1e-4)
    assert discriminator_loss(logits(0.0), logits(0.0), "bce").item() == pytest.approx(0.6931, abs=1e-4)
    assert adversarial_loss(logits(0.5), "hinge").item() == pytest.approx(-0.5)
    assert discriminator_loss(logits(0.5), logits(-3.0), "hinge").item() == pytest.approx(0.25)


@pytest.mark.parametrize("kind", ["lsgan", "bce", "hinge"])
def test_the_generator_wants_higher_logits_and_the_discriminator_lower(kind) -> None:
    judged = torch.full((1, 1, 2, 2), 0.5, requires_grad=True)
    adversarial_loss([judged], kind).backward()
    assert (judged.grad < 0).all()
    judged.grad = None
    discriminator_loss([torch.ones(1, 1, 2, 2)], [judged], kind).backward()
    assert (judged.grad > 0).all()


def test_patches_outside_the_mask_do_not_count() -> None:
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :4] = 1
    judged = torch.zeros(1, 1, 2, 2)
    judged[..., 1] = 100.0
    assert adversarial_loss([judged], "lsgan", weight=mask).item() == pytest.approx(1.0)
    assert discriminator_accuracy([judged + 1], [judged], "lsgan", real_weight=mask, fake_weight=mask) == 1


def test_an_empty_mask_gives_zero_and_not_nan() -> None:
    assert adversarial_loss([torch.ones(1, 1, 2, 2)], "lsgan", weight=torch.zeros(1, 1, 8, 8)) == 0


def test_accuracy_is_the_share_of_patches_called_right() -> None:
    accuracy = discriminator_accuracy(logits(0.9, 0.1), logits(0.1, 0.2), "lsgan")
    assert accuracy.item() == pytest.approx(0.75)


def test_l1_weighs_pixels() -> None:
    image = torch.zeros(1, 3, 1, 2)
    target = torch.tensor([1.0, 5.0]).view(1, 1, 1, 2).expand(1, 3, 1, 2)
    assert l1_loss(image, target).item() == pytest.approx(3.0)
    assert l1_loss(image, target, weight=torch.tensor([1.0, 0.0]).view(1, 1, 1, 2)).item() == pytest.approx(
        1.0
    )


def test_each_class_that_occurs_counts_the_same() -> None:
    random_logits = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    label_map = torch.zeros(2, 8, 8, dtype=torch.uint8)
    label_map[0, 0, :3] = 2  # class 2 is rare, classes 1 and 3 do not occur
    per_pixel = F.cross_entropy(random_logits, label_map.long(), reduction="none")
    first, second = per_pixel
    of_first = (first[label_map[0] == 0].mean() + first[label_map[0] == 2].mean()) / 2
    by_hand = (of_first + second.mean()) / 2
    balanced = segmentation_loss(random_logits, label_map, class_balance(label_map, 4, 1))
    assert balanced.item() == pytest.approx(by_hand.item())
    plain = segmentation_loss(random_logits, label_map, class_balance(label_map, 4, 0))
    assert plain.item() == pytest.approx(per_pixel.mean().item())


def test_what_is_not_labelled_weighs_nothing() -> None:
    random_logits = torch.randn(1, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    label_map = torch.zeros(1, 4, 4, dtype=torch.uint8)
    label_map[0, :2] = 2
    for power in (0.0, 0.5, 1.0):
        weight = class_balance(label_map, 3, power, ignored=(2,))
        assert weight[0, 0, :2].max() == 0
        assert weight.mean().item() == pytest.approx(1)
        loss = segmentation_loss(random_logits, label_map, weight)
        expected = F.cross_entropy(random_logits[:, :, 2:], label_map[:, 2:].long())
        assert loss.item() == pytest.approx(expected.item())
    nothing = class_balance(torch.full((1, 4, 4), 2, dtype=torch.uint8), 3, 1, ignored=(2,))
    assert nothing.abs().max() == 0


def test_a_batch_is_the_mean_of_its_images_however_it_is_shared() -> None:
    random = torch.Generator().manual_seed(0)
    label_map = torch.randint(0, 3, (4, 8, 8), generator=random, dtype=torch.uint8)
    label_map[0] = 0  # one image has one class alone, and no weight
    image, other = torch.rand(2, 4, 3, 8, 8, generator=random)
    mask = (label_map > 0).float().unsqueeze(1)

    def losses(part: slice) -> torch.Tensor:
        balance = class_balance(label_map[part], 3, 0.5, ignored=(2,))
        return torch.stack(
            [
                l1_loss(image[part], other[part], weight=mask[part]),
                adversarial_loss([image[part, :1]], "lsgan", weight=mask[part]),
                segmentation_loss(image[part], label_map[part], balance),
            ]
        )

    shared = (losses(slice(0, 2)) + losses(slice(2, 4))) / 2
    torch.testing.assert_close(losses(slice(None)), shared)
