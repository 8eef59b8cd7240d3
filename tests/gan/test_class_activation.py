import math

import pytest
import torch
from torch import nn

from gan.class_activation import ClassActivation, class_activation_loss


def test_features_are_weighed_by_the_classifier_that_judges_them() -> None:
    activation = ClassActivation(2, normalizes=False)
    with torch.no_grad():
        activation.average.weight.copy_(torch.tensor([[2.0, -1.0]]))
        activation.maximum.weight.copy_(torch.tensor([[0.0, 3.0]]))
    features = torch.tensor([[[[0.0, 4.0]], [[1.0, 3.0]]]])  # means 2 and 2, maxima 4 and 3
    activated = activation(features)
    assert activated.logits.tolist() == [[2 * 2 - 1 * 2, 3 * 3]]
    assert activated.features.tolist() == [[[[0, 8]], [[-1, -3]], [[0, 0]], [[3, 9]]]]


def test_what_is_masked_is_zero_to_the_classifiers_alone() -> None:
    activation, attention = ClassActivation(3, normalizes=False), torch.zeros(2, 1, 4, 6)
    attention[..., 3:] = 1
    features = torch.randn(2, 3, 4, 6, requires_grad=True)
    masked, whole = activation(features, attention), activation(features)
    assert torch.equal(masked.features, whole.features)
    assert torch.equal(masked.logits, activation(features * attention).logits)
    assert not torch.equal(masked.logits, whole.logits)
    masked.logits.sum().backward()
    assert not features.grad[..., :3].any()
    assert features.grad[..., 3:].any()


def test_normalised_classifiers_have_weights_of_length_one() -> None:
    activation = ClassActivation(8, normalizes=True)
    nn.init.constant_(activation.average.parametrizations.weight.original, 5.0)
    activation(torch.rand(1, 8, 2, 2))
    assert activation.average.weight.norm().item() == pytest.approx(1, abs=1e-5)
    ones = torch.ones(1, 8, 2, 2)
    assert activation(ones).features[:, :8].norm(dim=1).max().item() == pytest.approx(1, abs=1e-5)


def test_images_to_translate_are_called_one_and_the_others_zero() -> None:
    right, wrong = torch.full((2, 2), 9.0), torch.full((2, 2), -9.0)
    assert class_activation_loss(right, wrong) < 1e-3
    assert class_activation_loss(wrong, right) > 17
    nothing = torch.zeros(2, 2)
    assert class_activation_loss(nothing, nothing).item() == pytest.approx(2 * math.log(2))
