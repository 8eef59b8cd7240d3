"""Which judge learns from what, and which figure comes from which judge: told by judges that stand in for
trained ones, each with an answer of its own."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from pipeline.config import RunConfig
from pipeline.evaluation import evaluate as module
from pipeline.evaluation.distribution import kernel_distance
from pipeline.evaluation.labelled_images import LabelledImages
from pipeline.evaluation.likeness import copying_of, diversity_of
from pipeline.evaluation.material import Material, read_material
from pipeline.evaluation.parts import part_sources
from pipeline.evaluation.results import Evaluation
from pipeline.evaluation.scores import score
from pipeline.evaluation.several import MeanScores, mean_of
from pipeline.run import prepare_stage

NUM_JUDGES, NUM_VARIANTS = 2, 2
ANSWERS = {
    ("generated", 0): 0,
    ("generated", 1): 1,
    ("real", 0): 1,
    ("real", 1): 4,
    ("both", 0): 4,
    ("both", 1): 0,
}


class Constant:
    """Stands in for a judge: answers one class, and its features are the means of a grid's cells, at a scale
    of its own."""

    def __init__(self, what: str, index: int):
        self.answer = ANSWERS[what, index]
        self.scale = 1 + list(ANSWERS).index((what, index))

    def read(self, images: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
        return np.full((len(images), *(size or images.shape[1:3])), self.answer, np.uint8)

    def features(self, images: np.ndarray, *, grid: int = 1) -> np.ndarray:
        num, height, width, _ = images.shape
        cells = images.reshape(num, grid, height // grid, grid, width // grid, 3).astype(float)
        return self.scale * cells.mean((2, 4)).reshape(num, -1) / 255


class Measured(NamedTuple):
    """An evaluation, and what it was made of."""

    found: Evaluation
    config: RunConfig
    material: Material
    learned: LabelledImages
    held_out: LabelledImages
    trainings: dict[tuple[str, int], Sequence[LabelledImages]]


@pytest.fixture
def measure(
    make_config: Callable, snapshot: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Measured]:
    """Evaluate with judges that stand in, and remember what they were to learn from."""
    trainings, drawn = {}, []
    draw = module.draw_variants

    def judge_of(_: RunConfig, sets: Sequence[LabelledImages], what: str, *, index: int, **__) -> Constant:
        trainings[what, index] = sets
        return Constant(what, index)

    def draw_and_keep(*arguments: object, **options: object) -> LabelledImages:
        drawn.append(draw(*arguments, **options))
        return drawn[-1]

    monkeypatch.setattr(module, "judge_of", judge_of)
    monkeypatch.setattr(module, "draw_variants", draw_and_keep)

    def measure(trained: dict[str, object] | None = None, **changes: object) -> Measured:
        budget = {"num_judges": NUM_JUDGES, "num_variants": NUM_VARIANTS} | changes
        config = make_config(evaluate=budget)
        boxes = {f"Test-{number}": [["ball", 0.5, 0.5, 1, 1]] for number in range(2)}
        (tmp_path / "source" / "boxes.json").write_text(json.dumps(boxes))
        prepared = prepare_stage(config)
        parts = part_sources(prepared, config.evaluate)
        drawn.clear()
        found = module.evaluate(config, prepared, snapshot(make_config(evaluate=budget, **trained or {})))
        return Measured(found, config, read_material(config, parts, prepared), *drawn, trainings)

    return measure


def scores_of(measured: Measured, what: str, labelled: LabelledImages) -> MeanScores:
    judges = [Constant(what, index) for index in range(NUM_JUDGES)]
    palette = measured.config.read_palette()
    return mean_of([score(judge.read(labelled.images), labelled.label_maps, palette) for judge in judges])


def contents(*arrays: np.ndarray) -> set[bytes]:
    return {item.tobytes() for array in arrays for item in array}


def same(sets: Sequence[LabelledImages], wanted: Sequence[LabelledImages]) -> bool:
    return len(sets) == len(wanted) and all(
        np.array_equal(one.images, other.images) and np.array_equal(one.label_maps, other.label_maps)
        for one, other in zip(sets, wanted, strict=True)
    )


def test_no_judge_learns_from_what_is_held_out(measure: Callable[..., Measured]) -> None:
    measured = measure()
    material, learned = measured.material, measured.learned
    sets = {"generated": [learned], "real": [material.train_pairs], "both": [material.train_pairs, learned]}
    assert set(measured.trainings) == set(ANSWERS)
    for (what, _), found in measured.trainings.items():
        assert same(found, sets[what])

    assert np.array_equal(learned.label_maps, np.tile(material.train_labels, (NUM_VARIANTS, 1, 1)))
    test_labels = contents(material.test_labels, material.test_pairs.label_maps)
    test_images = contents(material.test_photos, material.test_pairs.images, measured.held_out.images)
    assert len(test_labels) == len(material.test_labels) == 2
    for found in measured.trainings.values():
        for part in found:
            assert not contents(part.label_maps) & test_labels
            assert not contents(part.images) & test_images


def test_each_figure_comes_from_the_judges_of_that_name(measure: Callable[..., Measured]) -> None:
    measured = measure()
    found, pairs = measured.found, measured.material.test_pairs
    of = {what: scores_of(measured, what, pairs) for what in ("generated", "real", "both")}
    assert len({scores.miou for scores in of.values()}) == 3
    useful = found.usefulness
    assert (useful.generated, useful.real, useful.both) == (of["generated"], of["real"], of["both"])
    assert useful.gain == pytest.approx(of["both"].miou - of["real"].miou)
    assert found.adherence.judge == "real"
    assert found.adherence.generated == scores_of(measured, "real", measured.held_out)
    assert found.adherence.generated.miou_sd > 0
    assert found.adherence.real == of["real"]

    # In the photograph with a box around all of it, who answers "ball" finds it.
    ball = measured.config.read_palette().names.index("ball")
    recalls = {name: found.detection.judges[name]["ball"]["0.5"].recall for name in of}
    for name, recall in recalls.items():
        assert recall == np.mean([ANSWERS[name, index] == ball for index in range(NUM_JUDGES)])


def test_ratio_and_gain_compare_judges_of_one_seed(measure: Callable[..., Measured]) -> None:
    measured = measure()
    pairs, palette = measured.material.test_pairs, measured.config.read_palette()

    def miou(what: str, index: int) -> float:
        return score(Constant(what, index).read(pairs.images), pairs.label_maps, palette).miou

    gains = [miou("both", index) - miou("real", index) for index in range(NUM_JUDGES)]
    ratios = [miou("generated", index) / miou("real", index) for index in range(NUM_JUDGES)]
    useful = measured.found.usefulness
    assert (useful.gain, useful.gain_sd) == pytest.approx((np.mean(gains), np.std(gains, ddof=1)))
    assert (useful.ratio, useful.ratio_sd) == pytest.approx((np.mean(ratios), np.std(ratios, ddof=1)))


def test_sets_are_compared_by_the_features_of_the_first_judge_of_photographs(
    measure: Callable[..., Measured],
) -> None:
    measured = measure()
    found, material, judge = measured.found, measured.material, Constant("real", 0)
    num_train, num_test = len(material.train_labels), len(material.test_labels)
    learned, held_out = measured.learned.images, measured.held_out.images
    assert found.diversity == diversity_of(judge, learned, NUM_VARIANTS)
    copying = copying_of(
        judge,
        np.concatenate([learned[:num_train], held_out[:num_test]]),
        material.train_photos,
        material.test_photos,
        label_names=[str(index) for index in range(num_train + num_test)],
        photo_names=[str(index) for index in range(len(material.train_photos))],
    )
    assert (found.copying.ratio, found.copying.smallest_ratio) == (copying.ratio, copying.smallest_ratio)
    photos = judge.features(material.train_photos)
    unseen = judge.features(material.test_photos)
    assert found.distribution.kid_segmenter_real == kernel_distance(unseen, photos)
    # Variants of a label are no independent images: one of each counts.
    assert found.distribution.num_generated == num_train
    assert found.distribution.kid_segmenter == kernel_distance(judge.features(learned[:num_train]), photos)


def test_without_labelled_photographs_the_judges_of_generated_images_judge(
    measure: Callable[..., Measured],
) -> None:
    measured = measure(real_pairs=False)
    assert set(measured.trainings) == {("generated", index) for index in range(NUM_JUDGES)}
    assert measured.found.adherence.judge == "generated"
    assert measured.found.adherence.generated == scores_of(measured, "generated", measured.held_out)
    assert measured.found.usefulness is None
    assert set(measured.found.detection.judges) == {"generated"}


def test_the_noise_is_that_of_the_snapshot(measure: Callable[..., Measured]) -> None:
    """As in what `translate` draws; the run's own noise may have been changed since."""
    fields = []
    draw = module.draw_variants

    def draw_and_note(*arguments: object, correlation_px: float, **options: object) -> LabelledImages:
        fields.append(correlation_px)
        return draw(*arguments, correlation_px=correlation_px, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "draw_variants", draw_and_note)
        measured = measure(trained={"noise": {"correlation_px": 4}})
    assert measured.config.noise.correlation_px == 0
    assert fields == [4, 4]
