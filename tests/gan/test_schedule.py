import pytest

from gan.schedule import derived_seed, ema_decay_at, learning_rate_at

RUN = {"learning_rate": 2e-4, "total_images": 1000, "constant_fraction": 0.5}


def test_the_learning_rate_is_constant_and_then_really_falls_to_zero() -> None:
    assert [learning_rate_at(seen, **RUN) for seen in (0, 500)] == [2e-4, 2e-4]
    assert learning_rate_at(750, **RUN) == pytest.approx(1e-4)
    assert learning_rate_at(1000, **RUN) == 0
    assert learning_rate_at(1004, **RUN) == 0


def test_a_constant_fraction_of_one_never_decays() -> None:
    assert learning_rate_at(1000, **RUN | {"constant_fraction": 1.0}) == 2e-4


def test_the_average_halves_after_its_halflife_whatever_the_batch_size() -> None:
    for batch_size in (1, 4, 16):
        decay = ema_decay_at(10**6, batch_size=batch_size, halflife_images=2000)
        assert decay ** (2000 / batch_size) == pytest.approx(0.5)


def test_the_average_forgets_the_initial_weights_and_zero_switches_it_off() -> None:
    assert ema_decay_at(0, batch_size=4, halflife_images=2000) == 0
    assert ema_decay_at(100, batch_size=4, halflife_images=2000) < ema_decay_at(
        10**5, batch_size=4, halflife_images=2000
    )
    assert ema_decay_at(10**6, batch_size=4, halflife_images=0) == 0


def test_seeds_differ_by_run_purpose_and_position_and_fit_torch() -> None:
    seeds = {derived_seed(s, purpose, n) for s in range(3) for purpose in ("noise", "pool") for n in range(5)}
    assert len(seeds) == 30
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derived_seed(1, "noise", 7) == derived_seed(1, "noise", 7)


def test_the_average_can_start_late_from_the_weights_of_that_moment() -> None:
    late = {"batch_size": 4, "halflife_images": 2000, "start_images": 500}
    assert [ema_decay_at(seen, **late) for seen in (0, 496, 500)] == [0, 0, 0]
    assert ema_decay_at(600, **late) == ema_decay_at(100, batch_size=4, halflife_images=2000)
