"""PatchNCE: a patch is known by its own place."""

import math

import pytest
import torch
import torch.nn.functional as F

from gan.contrastive import PatchProjector, draw_locations, patch_nce_loss, patches_at


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_equals_the_papers_formula_written_out() -> None:
    query, key, temperature = unit(2, 5, 8, seed=1), unit(2, 5, 8, seed=2), 0.07
    by_hand = []
    for image in range(2):
        for place in range(5):
            similar = [math.exp(float(query[image, place] @ key[image, n]) / temperature) for n in range(5)]
            by_hand.append(-math.log(similar[place] / sum(similar)))
    assert patch_nce_loss(query, key, temperature=temperature).item() == pytest.approx(sum(by_hand) / 10)


def test_is_0_when_every_patch_finds_its_place_and_log_p_when_all_look_alike() -> None:
    distinct = torch.eye(6).expand(2, 6, 6)
    assert patch_nce_loss(distinct, distinct, temperature=0.07) < 1e-4
    alike = torch.ones(2, 6, 6) / math.sqrt(6)
    assert patch_nce_loss(alike, alike, temperature=0.07).item() == pytest.approx(math.log(6))


def test_other_images_of_the_batch_are_no_negatives() -> None:
    query, key = unit(2, 5, 8, seed=1), unit(2, 5, 8, seed=2)
    alone = [patch_nce_loss(query[n : n + 1], key[n : n + 1], temperature=0.07) for n in range(2)]
    together = patch_nce_loss(query, key, temperature=0.07)
    torch.testing.assert_close(together, torch.stack(alone).mean())


def test_keys_take_no_gradient() -> None:
    query, key = (unit(1, 4, 8, seed=n).requires_grad_() for n in range(2))
    patch_nce_loss(query, key, temperature=0.07).backward()
    assert query.grad.abs().sum() > 0
    assert key.grad is None


def test_autocast_does_not_blur_it() -> None:
    query, key = unit(1, 9, 8, seed=1), unit(1, 9, 8, seed=2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        lowered = patch_nce_loss(query, key, temperature=0.07)
    assert torch.equal(lowered, patch_nce_loss(query, key, temperature=0.07))


def test_patches_are_the_features_at_their_places() -> None:
    feature = torch.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    patches = patches_at(feature, torch.tensor([7, 0]))
    assert torch.equal(patches[:, 0], feature[:, :, 1, 2])
    assert torch.equal(patches[:, 1], feature[:, :, 0, 0])


def test_locations_are_distinct_and_derived_from_the_generator() -> None:
    features = [torch.zeros(2, 3, 8, 6), torch.zeros(2, 9, 2, 3)]
    first, again, other = (
        draw_locations(features, 20, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert [len(places) for places in first] == [20, 6]  # all where there are fewer
    for places, size in zip(first, (48, 6), strict=True):
        assert len(places.unique()) == len(places)
        assert places.min() >= 0 and places.max() < size
    assert all(torch.equal(one, two) for one, two in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


def test_the_projector_has_two_layers_for_each_map_and_leaves_length_1() -> None:
    projector = PatchProjector([3, 128], 256)
    assert sum(p.numel() for p in projector.parameters()) == sum(
        (channels + 1) * 256 + 257 * 256 for channels in (3, 128)
    )
    features = [torch.randn(2, 3, 8, 6), torch.randn(2, 128, 4, 3)]
    locations = draw_locations(features, 10, generator=torch.Generator().manual_seed(0))
    for patches in projector(features, locations):
        assert patches.shape == (2, 10, 256)
        torch.testing.assert_close(patches.norm(dim=-1), torch.ones(2, 10))


def test_a_featureless_map_has_finite_gradients() -> None:
    projector, feature = PatchProjector([3], 8), torch.zeros(1, 3, 2, 2, requires_grad=True)
    for parameter in projector.parameters():
        torch.nn.init.zeros_(parameter)
    (patches,) = projector([feature], [torch.arange(4)])
    patch_nce_loss(patches, patches, temperature=0.07).backward()
    assert feature.grad.isfinite().all()
