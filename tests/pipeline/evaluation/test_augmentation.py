"""Views move labels with images; colours change and labels do not; the generator alone decides."""

import torch

from pipeline.evaluation.augmentation import jitter_colors, random_views


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_labels_move_with_images() -> None:
    """An image that shows its label's ids still shows them after any view, but for blended borders."""
    labels = torch.randint(0, 5, (32, 4, 6), dtype=torch.uint8, generator=generator())
    labels = labels.repeat_interleave(8, 1).repeat_interleave(8, 2)
    image = labels[:, None].float().expand(-1, 3, -1, -1)
    seen, moved = random_views(image, labels, generator(1))
    right = (seen[:, 0] - moved).abs() < 1e-3
    assert right.float().mean() > 0.75
    assert ((seen[:, 0] - moved).abs() <= 4).all()
    assert not torch.equal(moved, labels.long())
    assert set(moved.unique().tolist()) <= set(range(5))


def test_about_half_are_mirrored() -> None:
    ramp = torch.arange(32.0).expand(200, 3, 16, 32)
    seen, _ = random_views(ramp, torch.zeros(200, 16, 32, dtype=torch.uint8), generator())
    mirrored = seen[:, 0, 0, 0] > seen[:, 0, 0, -1]
    assert 60 < mirrored.sum() < 140


def test_colours_stay_in_range_and_grey_means_stay_near() -> None:
    image = torch.rand(64, 3, 8, 8, generator=generator()) * 2 - 1
    jittered = jitter_colors(image, generator(1))
    assert jittered.shape == image.shape
    assert jittered.abs().max() <= 1
    assert not torch.equal(jittered, image)
    assert (jittered.mean() - image.mean()).abs() < 0.1


def test_the_same_generator_gives_the_same() -> None:
    image, labels = torch.rand(4, 3, 8, 8), torch.zeros(4, 8, 8, dtype=torch.uint8)
    for change in (lambda g: random_views(image, labels, g)[0], lambda g: jitter_colors(image, g)):
        assert torch.equal(change(generator(3)), change(generator(3)))
        assert not torch.equal(change(generator(3)), change(generator(4)))
