import torch

from gan.image_pool import ImagePool


def fakes(*values: float) -> dict[str, torch.Tensor]:
    return {"a": torch.tensor(values).view(-1, 1, 1, 1)}


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_stores_and_returns_the_first_images() -> None:
    pool = ImagePool(4)
    assert pool.query(fakes(1, 2), random())["a"].flatten().tolist() == [1, 2]
    assert pool.query(fakes(3, 4), random())["a"].flatten().tolist() == [3, 4]


def test_then_answers_with_a_new_or_a_stored_image_and_loses_none() -> None:
    pool = ImagePool(3)
    pool.query(fakes(1, 2, 3), random())
    given, returned = [], []
    for number in range(4, 60):
        returned += pool.query(fakes(number), random(number))["a"].flatten().tolist()
        given.append(number)
    kept = pool.state_dict()["stored"]["a"].flatten().tolist()
    assert sorted(returned + kept) == sorted([1, 2, 3, *given])
    num_new = sum(new == old for new, old in zip(returned, given, strict=True))
    assert 15 < num_new < 41  # p = 1/2 of 56


def test_capacity_zero_returns_the_newest() -> None:
    assert ImagePool(0).query(fakes(1, 2), random())["a"].flatten().tolist() == [1, 2]


def test_takes_batches_larger_than_itself() -> None:
    pool = ImagePool(2)
    returned = pool.query(fakes(*range(7)), random())["a"].flatten().tolist()
    assert len(returned) == 7
    # The first two are returned and kept; every image is in the pool or was returned, and none is made up.
    kept = pool.state_dict()["stored"]["a"].flatten().tolist()
    assert sorted(returned + kept) == sorted([0, 1, *range(7)])


def test_keeps_no_gradient() -> None:
    images = torch.ones(1, 1, 1, 1, requires_grad=True)
    assert not ImagePool(2).query({"a": images * 2}, random())["a"].requires_grad


def test_a_restored_pool_answers_as_the_original() -> None:
    pool, other = ImagePool(3), ImagePool(3)
    pool.query(fakes(1, 2, 3), random())
    other.load_state_dict(pool.state_dict())
    assert torch.equal(pool.query(fakes(9), random(5))["a"], other.query(fakes(9), random(5))["a"])
