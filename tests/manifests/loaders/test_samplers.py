"""Every sample once, or rare classes more often; the same for all who ask alike."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch.distributed

from manifests.loaders.samplers import ClassBalancedSampler, EpochSampler, Share
from manifests.loaders.selection import Selection
from manifests.schema import to_table


@pytest.fixture
def make_selection(tmp_path: Path, make_record: Callable, palette: dict) -> Callable[..., Selection]:
    """A selection of rows with the given class_pixel_counts; there are no files."""

    def make(*counts: tuple[int, ...], ignored: tuple[int, ...] = ()) -> Selection:
        records = [
            make_record(f"{number:04d}", class_pixel_counts=count) for number, count in enumerate(counts)
        ]
        classes = [{**entry, "ignore": index in ignored} for index, entry in enumerate(palette["classes"])]
        table = to_table(records, palette={**palette, "classes": classes})
        pq.write_table(table, tmp_path / "metadata.parquet")
        return Selection(tmp_path)

    return make


PLAIN = (16, 16, 16)


def shares(num_ranks: int) -> list[Share]:
    return [Share(rank, num_ranks) for rank in range(num_ranks)]


@pytest.mark.parametrize("num_ranks", [1, 2, 3, 7, 30])
@pytest.mark.parametrize("shuffle", [False, True])
def test_every_sample_once_over_all_ranks(make_selection: Callable, num_ranks: int, shuffle: bool) -> None:
    selection = make_selection(*[PLAIN] * 23)
    samplers = [EpochSampler(selection, shuffle=shuffle, share=share) for share in shares(num_ranks)]
    for epoch in range(2):
        drawn = []
        for sampler in samplers:
            sampler.set_epoch(epoch)
            own = list(sampler)
            assert len(own) == len(sampler) and abs(len(own) - 23 / num_ranks) < 1
            drawn += own
        assert sorted(drawn) == list(range(23))


@pytest.mark.parametrize("num_ranks", [1, 2, 3, 30])
def test_even_shares_leave_out_the_fewest(make_selection: Callable, num_ranks: int) -> None:
    selection = make_selection(*[PLAIN] * 23)
    samplers = [EpochSampler(selection, is_even=True, share=share) for share in shares(num_ranks)]
    drawn = [list(sampler) for sampler in samplers]
    assert {len(own) for own in drawn} == {len(samplers[0])} == {23 // num_ranks}
    assert max(Counter(sum(drawn, [])).values(), default=1) == 1


@pytest.mark.parametrize("kind", [EpochSampler, ClassBalancedSampler])
def test_the_order_is_a_function_of_seed_and_epoch(make_selection: Callable, kind: type) -> None:
    selection = make_selection(*[PLAIN] * 50)

    def order(seed: int, epoch: int) -> list[int]:
        sampler = kind(selection, seed=seed)
        sampler.set_epoch(epoch)
        assert list(sampler) == list(sampler)
        return list(sampler)

    orders = [order(seed, epoch) for seed in range(3) for epoch in range(3)]
    assert orders == [order(seed, epoch) for seed in range(3) for epoch in range(3)]
    assert len({tuple(each) for each in orders}) == 9
    # The whole is what the ranks have together, in turn.
    parts = [list(kind(selection, share=share)) for share in shares(2)]
    assert [index for pair in zip(*parts, strict=True) for index in pair] == order(0, 0)


def test_without_shuffling_all_epochs_are_in_the_tables_order(make_selection: Callable) -> None:
    sampler = EpochSampler(make_selection(*[PLAIN] * 5), shuffle=False)
    for epoch in range(2):
        sampler.set_epoch(epoch)
        assert list(sampler) == [0, 1, 2, 3, 4]


def test_rare_classes_are_drawn_as_often_as_their_share_demands(make_selection: Callable) -> None:
    # Class 2 is seen in 4 of 64 samples, class 1 in 16, class 0 in all.
    counts = [(1, 1, 1)] * 4 + [(1, 1, 0)] * 12 + [(1, 0, 0)] * 48
    selection = make_selection(*counts)
    for power, rare, middle in ((1, 16, 4), (0.5, 4, 2), (0, 1, 1)):
        sampler = ClassBalancedSampler(selection, power=power)
        factors = np.array([rare] * 4 + [middle] * 12 + [1] * 48)
        assert np.allclose(sampler.factors, factors)
        due = 64 * factors / factors.sum()
        totals = np.zeros(64)
        for epoch in range(50):
            sampler.set_epoch(epoch)
            drawn = np.bincount(list(sampler), minlength=64)
            assert drawn.sum() == len(sampler) == 64
            assert (np.abs(drawn - due) < 1).all()  # rounded up or down, no more
            totals += drawn
        assert np.abs(totals / 50 - due).max() < 0.35  # and up as often as is fair


def test_what_counts_as_showing_a_class(make_selection: Callable) -> None:
    counts = [(100, 0, 0)] * 3 + [(90, 9, 1)]
    assert ClassBalancedSampler(make_selection(*counts)).factors.tolist() == [1, 1, 1, 2]
    assert ClassBalancedSampler(make_selection(*counts), min_pixels=9).factors.tolist() == [1, 1, 1, 2]
    assert ClassBalancedSampler(make_selection(*counts), min_pixels=10).factors.tolist() == [1, 1, 1, 1]
    ignored = make_selection(*counts, ignored=(1, 2))
    assert ClassBalancedSampler(ignored).factors.tolist() == [1, 1, 1, 1]
    # Samples that show nothing that counts are drawn like those of frequent classes.
    assert ClassBalancedSampler(make_selection((0, 0, 48), PLAIN, ignored=(2,))).factors.min() == 1


@pytest.mark.parametrize(("num_samples", "num_ranks", "own"), [(0, 1, 5), (0, 2, 3), (12, 1, 12), (3, 2, 2)])
def test_the_number_of_draws(make_selection: Callable, num_samples: int, num_ranks: int, own: int) -> None:
    selection = make_selection(*[PLAIN] * 5)
    for share in shares(num_ranks):
        sampler = ClassBalancedSampler(selection, num_samples=num_samples, share=share)
        assert len(sampler) == len(list(sampler)) == own


def test_nothing_to_draw_from(make_selection: Callable) -> None:
    selection = make_selection()
    for sampler in (EpochSampler(selection), ClassBalancedSampler(selection, num_samples=9)):
        assert len(sampler) == 0 and list(sampler) == []


def test_wrong_settings_are_refused(make_selection: Callable) -> None:
    selection = make_selection(PLAIN)
    for kind in (EpochSampler, ClassBalancedSampler):
        with pytest.raises(ValueError, match="no rank 2 of 2; ranks count from 0 to 1"):
            kind(selection, share=Share(2, 2))
    with pytest.raises(ValueError, match="A power of -1 would draw rare classes less often"):
        ClassBalancedSampler(selection, power=-1)


def test_the_share_is_what_the_launcher_says(
    make_selection: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert Share.of_this_process() == (0, 1)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert Share.of_this_process() == (1, 3)
    assert list(EpochSampler(make_selection(*[PLAIN] * 7), shuffle=False)) == [1, 4]
    # Who has initialised torch.distributed has told it, whatever the variables say.
    store = torch.distributed.HashStore()
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        assert Share.of_this_process() == (0, 1)
    finally:
        torch.distributed.destroy_process_group()
