import cv2
import numpy as np
import pytest
import torch

from gan.conditioning import draw_noise_field
from pipeline.noise_field import noise_field

SHA = "0f" * 32


@pytest.mark.parametrize("correlation_px", [0, 6.5])
def test_noise_depends_on_all_its_arguments_and_on_nothing_else(correlation_px: float) -> None:
    shape = (64, 96)
    field = noise_field(SHA, 3, 0, shape, correlation_px)
    assert field.dtype == np.uint8 and field.shape == shape
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    again = noise_field(SHA, 3, 0, shape, correlation_px)
    cv2.setNumThreads(threads)
    assert np.array_equal(field, again)
    for other in (("1f" * 32, 3, 0), (SHA, 4, 0), (SHA, 3, 1)):
        assert (noise_field(*other, shape, correlation_px) != field).mean() > 0.9


@pytest.mark.parametrize("correlation_px", [0, 6.5])
def test_every_digit_of_the_content_hash_counts(correlation_px: float) -> None:
    """Labels whose hashes begin or end alike have noises of their own."""
    hashes = [SHA, *(SHA[:digit] + "7" + SHA[digit + 1 :] for digit in range(len(SHA)))]
    fields = {noise_field(sha, 3, 1, (8, 8), correlation_px).tobytes() for sha in hashes}
    assert len(fields) == len(hashes)


def test_noise_keeps_its_bytes_across_releases() -> None:
    assert noise_field(SHA, 0, 0, (2, 4)).tolist() == [[0, 85, 47, 168], [130, 115, 224, 81]]
    assert noise_field(SHA, 0, 0, (2, 4), 3).tolist() == [[166, 108, 45, 21], [129, 84, 38, 22]]


@pytest.mark.parametrize("correlation_px", [0, 2, 5])
def test_every_step_is_equally_likely(correlation_px: float) -> None:
    fields = [noise_field(SHA, seed, 0, (120, 160), correlation_px) for seed in range(40)]
    counts = np.bincount(np.stack(fields).ravel(), minlength=256) / (40 * 120 * 160 / 256)
    # A patch of correlation^2 pixels counts as about one draw.
    spread = 6 / np.sqrt(40 * 120 * 160 / 256 / max(1, correlation_px) ** 2)
    assert np.abs(counts - 1).max() < spread
    # Nowhere in the picture is the noise weaker: no grid shows.
    deviation = np.stack(fields).astype(float).std(axis=0)
    assert abs(deviation.mean() - 73.9) < 2
    assert deviation.min() > 40


def test_blotches_are_as_large_as_asked() -> None:
    def correlation(correlation_px: float, distance: int) -> float:
        field = noise_field(SHA, 0, 0, (400, 400), correlation_px).astype(float)
        return float(np.corrcoef(field[:, :-distance].ravel(), field[:, distance:].ravel())[0, 1])

    assert abs(correlation(0, 1)) < 0.02
    for size in (4, 16):
        assert correlation(size, size // 2) > 0.6
        assert correlation(size, 3 * size) < 0.15


@pytest.mark.parametrize("correlation_px", [0.5, 2, 6.5])
def test_networks_train_on_noise_as_they_generate_from(correlation_px: float) -> None:
    """Levels are uniform and pixels jointly normal before that, so their correlations say all."""
    num, shape = 3000, (9, 11)
    files = np.stack([noise_field(SHA, 0, variant, shape, correlation_px) for variant in range(num)])
    random = torch.Generator().manual_seed(0)
    drawn = draw_noise_field(num, *shape, correlation_px=correlation_px, generator=random).numpy()
    quantiles = [np.quantile(fields, np.linspace(0, 1, 17), axis=0) for fields in (files, drawn)]
    assert np.abs(quantiles[0] - quantiles[1]).max() < 20  # of 256 levels; standard error 3.3
    between = [np.corrcoef(fields.reshape(num, -1).T) for fields in (files, drawn)]
    assert np.abs(between[0] - between[1]).max() < 0.13  # standard error 0.026, of 4851 pairs
