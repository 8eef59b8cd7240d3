import pytest

from gan.share import WHOLE, Share


@pytest.mark.parametrize("num_ranks", [1, 2, 3, 6])
def test_shares_are_equal_and_make_the_whole(num_ranks: int) -> None:
    images = list(range(6))
    shares = [images[Share(rank, num_ranks).of(6)] for rank in range(num_ranks)]
    assert sum(shares, []) == images
    assert {len(share) for share in shares} == {6 // num_ranks}


def test_it_is_what_torchrun_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert Share.of_environment() == WHOLE
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert Share.of_environment() == Share(2, 4)
