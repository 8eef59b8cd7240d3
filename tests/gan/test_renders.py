"""Training from renders: what the networks see of them, and what becomes of their background."""

import pytest
import torch

from gan.data import from_uint8, to_uint8
from gan.preview import GAP_PX, draw_preview
from gan.training_loop import _to_device
from gan.training_state import TrainingState

LEVEL = 2 / 255
"""A step of 8-bit colour in [-1, 1]."""


@pytest.fixture
def state_of(labels, small_config):
    """A run from renders that has just begun; `noise` is its amount."""

    def make(*, noise: float = 0.2, **changes: object) -> TrainingState:
        spec = labels._replace(noise=labels.noise.model_copy(update={"amount": noise}))
        return TrainingState(small_config(conditioning="render", **changes), spec, torch.device("cpu"))

    return make


def values(image: torch.Tensor) -> torch.Tensor:
    """Each channel's values in their order: its histogram."""
    return image.flatten(2).sort(2).values


def test_without_matching_renders_and_photographs_are_those_of_the_files(state_of, batches) -> None:
    host = next(batches(0))
    batch = _to_device(host, state_of(noise=0.0))
    assert torch.equal(batch.clean_a, from_uint8(torch.from_numpy(host.render)))
    assert torch.equal(batch.image_b, from_uint8(torch.from_numpy(host.photo)))
    torch.testing.assert_close(batch.image_a, batch.clean_a)


@pytest.mark.parametrize(("to_b", "changed", "kept"), [(1, "image_a", "image_b"), (0, "image_b", "image_a")])
def test_a_matched_domain_has_the_others_histogram(state_of, batches, to_b, changed, kept) -> None:
    host = next(batches(0))
    matching = {"space": "rgb", "probability": 1, "to_b_probability": to_b}
    plain, matched = (
        _to_device(host, state_of(noise=0.0, histogram=histogram)) for histogram in ({}, matching)
    )
    difference = values(getattr(matched, changed)) - values(getattr(matched, kept))
    assert difference.abs().max() <= LEVEL / 2
    assert not torch.equal(getattr(matched, changed), getattr(plain, changed))
    assert torch.equal(getattr(matched, kept), getattr(plain, kept))


def test_noise_comes_after_matching_and_the_way_back_is_aimed_at_what_was_matched(state_of, batches) -> None:
    histogram = {"space": "rgb", "probability": 1}
    batch = _to_device(next(batches(0)), state_of(histogram=histogram))
    assert (values(batch.clean_a) - values(batch.image_b)).abs().max() <= LEVEL / 2
    assert not torch.equal(batch.image_a, batch.clean_a)


def test_matching_depends_on_the_images_seen_alone(state_of, batches) -> None:
    state = state_of(histogram={"probability": 0.5})
    changed = []
    for number in range(0, 80, 2):
        state.num_images_seen = number
        host = next(batches(number))
        batch, again = _to_device(host, state), _to_device(host, state)
        assert torch.equal(batch.image_a, again.image_a)
        changed.append(not torch.equal(batch.clean_a, from_uint8(torch.from_numpy(host.render))))
    assert 8 < sum(changed) < 32


def test_a_kept_background_is_the_clean_renders(state_of, batches) -> None:
    state = state_of(background="keep")
    batch = _to_device(next(batches(0)), state)
    fake_b = state.method.generator_phase(batch).fakes["b"]
    outside = (batch.attention_a == 0).expand_as(fake_b)
    assert torch.equal(fake_b[outside], batch.clean_a[outside])
    assert not torch.equal(batch.image_a[outside], batch.clean_a[outside])


def test_a_preview_shows_renders_and_their_background(state_of, preview) -> None:
    grid = draw_preview(state_of(background="keep", noise=0.0), preview)
    drawn = grid[16 + GAP_PX : 32 + GAP_PX, :24]
    outside = preview.label_map[0] == 0
    assert (drawn[outside] == preview.render[0][outside]).all()
    shown = to_uint8(from_uint8(torch.from_numpy(preview.render)))[0].numpy()
    assert abs(grid[:16, :24].astype(int) - shown).max() <= 1


@pytest.mark.parametrize("conditioning", ["rgb", "onehot"])
def test_labels_have_no_histogram_to_match(small_config, conditioning) -> None:
    with pytest.raises(ValueError, match=f"needs conditioning 'render', not '{conditioning}'"):
        small_config(conditioning=conditioning, histogram={"probability": 0.1})


def test_a_segmenter_reads_labels_and_not_renders(small_config) -> None:
    with pytest.raises(ValueError, match="conditioning 'render' does not fit method 'segback'"):
        small_config(conditioning="render", method="segback")
