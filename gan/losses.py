"""Loss terms as pure functions: tensors in, scalar out. Methods weight and sum them.

The loss of a batch is the mean of its images' losses, weighted ones included: so it does not matter how a
batch is shared by processes.

Shapes: N batch, C channels, H height, W width, h/w patch grid.
"""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "AdversarialKind",
    "adversarial_loss",
    "class_balance",
    "discriminator_accuracy",
    "discriminator_loss",
    "gradient_penalty",
    "l1_loss",
    "says_fake_loss",
    "segmentation_loss",
    "total_variation_loss",
]

AdversarialKind = Literal["lsgan", "bce", "hinge"]


def adversarial_loss(
    logits: Sequence[Tensor], kind: AdversarialKind, *, weight: Tensor | None = None
) -> Tensor:
    """What the generator wants of its fakes: LSGAN E (D(fake) - 1)^2 (arXiv 1611.04076, eq. 9), or its bce /
    hinge form.

    Args:
        logits: one tensor [N, 1, h, w] per discriminator scale.
        kind: the objective.
        weight: [N, 1, H, W] in [0, 1]; patches count by the mean weight under them.
    """
    return _mean([_weighted_mean(_wants_real(scale, kind), weight) for scale in logits])


def discriminator_loss(
    real_logits: Sequence[Tensor],
    fake_logits: Sequence[Tensor],
    kind: AdversarialKind,
    *,
    real_weight: Tensor | None = None,
    fake_weight: Tensor | None = None,
) -> Tensor:
    """What the discriminator wants: LSGAN 1/2 [E (D(real) - 1)^2 + E D(fake)^2], or its bce / hinge form.

    The arguments are as in `adversarial_loss`, for reals and fakes.
    """
    real = _mean([_weighted_mean(_says_real(scale, kind), real_weight) for scale in real_logits])
    fake = _mean([_weighted_mean(_says_fake(scale, kind), fake_weight) for scale in fake_logits])
    return 0.5 * (real + fake)


def says_fake_loss(
    logits: Sequence[Tensor], kind: AdversarialKind, *, weight: Tensor | None = None
) -> Tensor:
    """The fakes' half of `discriminator_loss`, for further images that are to be called fake."""
    return 0.5 * _mean([_weighted_mean(_says_fake(scale, kind), weight) for scale in logits])


def gradient_penalty(logits: Sequence[Tensor], image: Tensor, random: torch.Generator) -> Tensor:
    """R1 (Mescheder et al. 2018, arXiv 1801.04406, eq. 9): E ||grad D(x)||^2 on reals, where D is each patch
    by itself.

    The patches' logits are summed with random signs: over signs, the squared gradient of that sum is the sum
    of the patches' squared gradients. Without signs the gradients of patches that see the same pixels would
    add up, and the penalty would grow with the number of patches.

    Args:
        logits: one tensor [N, 1, h, w] per discriminator scale, with the graph that leads to `image`.
        image: float [N, C, H, W] in [-1, 1], which requires gradient.
        random: draws the signs, the same for all images; on the image's device.
    """
    penalties = []
    for scale in logits:
        signs = torch.randint(0, 2, scale.shape[1:], generator=random, device=scale.device) * 2 - 1
        total = (scale * signs).sum() / signs.numel() ** 0.5
        (gradient,) = torch.autograd.grad(total, image, create_graph=True)
        penalties.append(gradient.square().sum((1, 2, 3)).mean())
    return _mean(penalties)


@torch.no_grad()
def discriminator_accuracy(
    real_logits: Sequence[Tensor],
    fake_logits: Sequence[Tensor],
    kind: AdversarialKind,
    *,
    real_weight: Tensor | None = None,
    fake_weight: Tensor | None = None,
) -> Tensor:
    """Share of patches that the discriminator calls right, in [0, 1]; 1 = it has won, 0.5 = it guesses."""
    threshold = 0.5 if kind == "lsgan" else 0.0
    real = _mean([_weighted_mean((scale > threshold).float(), real_weight) for scale in real_logits])
    fake = _mean([_weighted_mean((scale <= threshold).float(), fake_weight) for scale in fake_logits])
    return 0.5 * (real + fake)


def l1_loss(image: Tensor, target: Tensor, *, weight: Tensor | None = None) -> Tensor:
    """Mean absolute difference of [N, C, H, W] tensors, as in cycle consistency and identity (arXiv
    1703.10593, eq. 2).

    With `weight` [N, 1, H, W] in [0, 1] it is the weighted mean over pixels.
    """
    return _weighted_mean((image - target).abs().mean(1, keepdim=True), weight)


def total_variation_loss(masks: Tensor) -> Tensor:
    """Sum of absolute differences between neighbouring pixels of float [N, k, H, W] masks, mean over images
    (AttentionGAN, arXiv 1911.11897, scheme I). A sum: it grows with the size of the image."""
    across = (masks[..., 1:] - masks[..., :-1]).abs().sum()
    down = (masks[..., 1:, :] - masks[..., :-1, :]).abs().sum()
    return (across + down) / len(masks)


def class_counts(labels: Tensor, num_classes: int) -> Tensor:
    """Pixels of each class in each image: int64 [N, H, W] of class ids -> float [N, K]. Nothing here waits
    for the device."""
    counts = torch.zeros(len(labels), num_classes, device=labels.device)
    one = torch.ones((), device=labels.device).expand(len(labels), labels[0].numel())
    return counts.scatter_add_(1, labels.flatten(1), one)


def class_balance(
    label_map: Tensor, num_classes: int, power: float, *, ignored: Sequence[int] = ()
) -> Tensor:
    """Weight of each pixel by how rare its class is in its image: float [N, 1, H, W], each image's mean 1
    (after OASIS, arXiv 2012.04781, section 3.1, which counts over the batch).

    Args:
        label_map: uint8 [N, H, W] of class ids.
        num_classes: K.
        power: 0 = all pixels weigh alike; 1 = all classes that occur do, so that a ball counts as much as the
            field.
        ignored: ids of the classes that weigh nothing.
    """
    labels = label_map.long()
    by_class = class_counts(labels, num_classes).clamp(min=1).pow(-power)
    by_class[:, list(ignored)] = 0
    weight = by_class.gather(1, labels.flatten(1)).view_as(labels).unsqueeze(1)
    return weight / weight.mean((1, 2, 3), keepdim=True).clamp(min=1e-12)


def segmentation_loss(logits: Tensor, label_map: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean over pixels of the cross-entropy.

    Args:
        logits: float [N, K, H, W].
        label_map: uint8 [N, H, W] of class ids.
        weight: float [N, 1, H, W].
    """
    pixels = F.cross_entropy(logits.float(), label_map.long(), reduction="none")
    return (pixels.unsqueeze(1) * weight).mean()


def _wants_real(logits: Tensor, kind: AdversarialKind) -> Tensor:
    return -logits if kind == "hinge" else _says_real(logits, kind)


def _says_real(logits: Tensor, kind: AdversarialKind) -> Tensor:
    if kind == "lsgan":
        return (logits - 1).square()
    return F.softplus(-logits) if kind == "bce" else F.relu(1 - logits)


def _says_fake(logits: Tensor, kind: AdversarialKind) -> Tensor:
    if kind == "lsgan":
        return logits.square()
    return F.softplus(logits) if kind == "bce" else F.relu(1 + logits)


def _weighted_mean(values: Tensor, weight: Tensor | None) -> Tensor:
    """Mean over images of each one's weighted mean of values: [N, 1, h, w], with `weight` [N, 1, H, W]
    area-resized to their grid, or [N, M], which belong to no place and count alike."""
    if weight is None or values.ndim == 2:
        return values.mean()
    if weight.shape[-2:] != values.shape[-2:]:
        weight = F.adaptive_avg_pool2d(weight, values.shape[-2:])
    by_image = (values * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp(min=1e-6)
    return by_image.mean()


def _mean(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values)).mean()
