"""What is held out: test folders, or a share by hash; never a label on both sides."""

from pathlib import Path

import pytest

from manifests.schema import SampleRecord
from pipeline.config import ConfigError
from pipeline.evaluation.config import EvaluateConfig
from pipeline.evaluation.parts import Parts, find_pairs, part_sources, spread
from pipeline.prepare import Photo, Prepared


def label(stem: str, part: str = "train", width: int = 640) -> SampleRecord:
    return SampleRecord(
        source_set="set",
        source_label=f"{part}/{stem}.png",
        source_sha256=f"label {part} {stem}",
        source_part=part,
        width=width,
        height=480,
    )


def photo(stem: str, part: str = "train", folder: str = "photos") -> Photo:
    path = Path(folder, part, f"{stem}.jpg")
    return Photo(path=path, part=part, sha256=f"photo {path}", width=320, height=240)


def prepared(labels: list[SampleRecord], photos: list[Photo]) -> Prepared:
    return Prepared(records=tuple(labels), label_paths={}, render_paths={}, photos=tuple(photos), findings=())


@pytest.fixture
def with_test_folders() -> Prepared:
    return prepared(
        [label("a"), label("b"), label("c"), label("d", "test"), label("e", "test")],
        [photo("a"), photo("b"), photo("x"), photo("d", "test"), photo("y", "test")],
    )


def stems(parts: Parts, name: str) -> list[str]:
    found = []
    for item in getattr(parts, name):
        path = item if isinstance(item, Path) else Path(getattr(item, "label", item).source_label)
        found.append(path.stem)
    return found


def test_what_comes_from_test_folders_is_held_out(with_test_folders: Prepared) -> None:
    parts = part_sources(with_test_folders, EvaluateConfig())
    assert stems(parts, "train_labels") == ["a", "b", "c"]
    assert stems(parts, "test_labels") == ["d", "e"]
    assert stems(parts, "train_pairs") == ["a", "b"]
    assert stems(parts, "test_pairs") == ["d"]
    assert stems(parts, "train_photos") == ["a", "b", "x"]
    assert stems(parts, "test_photos") == ["d", "y"]
    assert parts.has_test_labels
    assert parts.has_test_pairs


def test_photographs_that_are_all_in_test_folders_were_trained_on_nevertheless() -> None:
    found = prepared([label("a"), label("d", "test")], [photo("d", "test"), photo("y", "test")])
    parts = part_sources(found, EvaluateConfig())
    assert stems(parts, "test_pairs") == ["d"]
    assert parts.has_test_labels
    assert not parts.has_test_pairs


@pytest.mark.parametrize("num", [2, 5, 40])
def test_else_a_share_is_held_out_by_hash(num: int) -> None:
    found = prepared([label(str(n)) for n in range(num)], [photo(str(n)) for n in range(num)])
    parts = part_sources(found, EvaluateConfig(test_fraction=0.25))
    held_out = set(stems(parts, "test_labels"))
    assert len(held_out) == max(1, round(0.25 * num))
    assert set(stems(parts, "test_pairs")) == held_out
    assert set(stems(parts, "train_labels")) == {str(n) for n in range(num)} - held_out
    assert set(stems(parts, "train_pairs")) == {str(n) for n in range(num)} - held_out
    assert not parts.has_test_labels
    assert not parts.has_test_pairs
    assert not parts.test_photos


def test_the_choice_follows_from_content_and_seed() -> None:
    labels = [label(str(n)) for n in range(40)]
    chosen = [
        set(stems(part_sources(prepared(order, []), EvaluateConfig(seed=seed)), "test_labels"))
        for order, seed in ((labels, 0), (labels[::-1], 0), (labels, 1))
    ]
    assert chosen[0] == chosen[1] != chosen[2]


def test_labels_of_held_out_photographs_are_held_out_too() -> None:
    """Test folders hold labels, but none with a photograph: pairs are held out by hash."""
    labels = [label(str(n)) for n in range(10)] + [label("t", "test")]
    parts = part_sources(prepared(labels, [photo(str(n)) for n in range(10)]), EvaluateConfig())
    assert stems(parts, "test_labels") == ["t"]
    assert len(parts.test_pairs) == 2
    assert parts.has_test_labels
    assert not parts.has_test_pairs  # their photographs were there to train on
    assert not set(stems(parts, "train_labels")) & set(stems(parts, "test_pairs"))


@pytest.mark.parametrize(
    ("labels", "photos", "num"),
    [
        ([label("a")], [photo("a")], 1),
        ([label("a_seg")], [photo("a")], 1),
        ([label("a_seg")], [photo("a_seg")], 1),
        ([label("a")], [photo("a", "test")], 0),
        ([label("a", width=480)], [photo("a")], 0),
        ([label("a", width=641)], [photo("a")], 1),
        ([label("a")], [photo("a"), photo("a", folder="more")], 0),
    ],
)
def test_a_pair_has_one_stem_one_part_and_one_shape(labels: list, photos: list, num: int) -> None:
    assert len(find_pairs(prepared(labels, photos))) == num


def test_equal_stems_can_mean_nothing(with_test_folders: Prepared) -> None:
    parts = part_sources(with_test_folders, EvaluateConfig(real_pairs=False))
    assert not parts.train_pairs
    assert not parts.test_pairs


@pytest.mark.parametrize("labels", [[label("a")], [label("a", "test"), label("b", "test")]])
def test_something_must_be_left_to_learn_from(labels: list) -> None:
    with pytest.raises(ConfigError, match="held out"):
        part_sources(prepared(labels, []), EvaluateConfig())


def test_of_many_evenly_spread_ones_are_taken(with_test_folders: Prepared) -> None:
    assert spread(range(10), 4) == (0, 2, 5, 7)
    assert spread(range(3), 4) == (0, 1, 2)
    limited = part_sources(with_test_folders, EvaluateConfig(max_images=1))
    for name in ("train_labels", "test_labels", "train_photos", "test_photos"):
        assert len(getattr(limited, name)) == 1
