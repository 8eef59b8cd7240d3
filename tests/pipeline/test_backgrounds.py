"""Which photograph a picture's background comes from: evenly, and as little changed as can be."""

import hashlib
import random
from collections import Counter

import pytest

from pipeline.backgrounds import Backgrounds

PHOTOS = [hashlib.sha256(f"photo {number}".encode()).hexdigest() for number in range(11)]
PICTURES = [
    (hashlib.sha256(f"label {number}".encode()).hexdigest(), seed, variant)
    for number in range(400)
    for seed in (0, 1)
    for variant in range(3)
]


def choices(photos: list[str]) -> list[str]:
    backgrounds = Backgrounds(photos)
    return [backgrounds.choose(*picture) for picture in PICTURES]


def test_neither_order_nor_repetition_changes_a_choice() -> None:
    shuffled = random.Random(0).sample(PHOTOS, len(PHOTOS))
    assert choices(shuffled) == choices(PHOTOS + PHOTOS[:3]) == choices(PHOTOS)


@pytest.mark.parametrize("number", range(3))
def test_a_photograph_that_is_added_changes_its_own_pictures_only(number: int) -> None:
    added = PHOTOS[number]
    before, after = choices([photo for photo in PHOTOS if photo != added]), choices(PHOTOS)
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert set(changed) == {added}
    assert len(changed) == after.count(added)


def test_every_photograph_gets_its_share() -> None:
    share = len(PICTURES) / len(PHOTOS)
    counts = Counter(choices(PHOTOS))
    assert set(counts) == set(PHOTOS)
    assert all(abs(count - share) < 5 * share**0.5 for count in counts.values())


def test_seeds_and_variants_of_a_label_choose_for_themselves() -> None:
    of_picture = dict(zip(PICTURES, choices(PHOTOS), strict=True))
    for other in ((1, 0), (0, 1)):
        same = sum(of_picture[label, 0, 0] == of_picture[label, *other] for label, *_ in PICTURES[::6])
        assert 0.03 < same / 400 < 0.17  # 1 in 11 by chance
