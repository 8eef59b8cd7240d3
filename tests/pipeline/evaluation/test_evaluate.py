"""The whole measure, tiny: with labelled photographs and without; the same numbers again."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.config import ConfigError, RunConfig
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.results import Evaluation, as_json
from pipeline.evaluation.table import as_table
from pipeline.prepare import Prepared
from pipeline.run import prepare_stage


def prepared(config: RunConfig) -> Prepared:
    return prepare_stage(config)


def numbers(value: object) -> list[float]:
    if isinstance(value, dict):
        return [number for item in value.values() for number in numbers(item)]
    return [value] if isinstance(value, float) else []


def test_all_is_measured_and_the_same_again(make_config: Callable, snapshot: Callable) -> None:
    config = make_config()
    ref = snapshot(config)
    first = evaluate(config, prepared(config), ref)
    judges = sorted(config.run_dir.glob("judge-*"))
    assert len(judges) == 6  # two of each kind

    # With the judges that were kept, and without.
    assert evaluate(config, prepared(config), ref) == first
    for path in judges:
        path.unlink()
    assert evaluate(config, prepared(config), ref) == first

    budget = first.budget
    assert (budget.num_train_labels, budget.num_test_labels, budget.has_test_labels) == (5, 2, True)
    assert (budget.num_train_pairs, budget.num_test_pairs, budget.has_test_pairs) == (4, 1, True)
    assert (budget.num_train_photos, budget.num_test_photos) == (5, 2)
    assert first.adherence.judge == "real"
    assert first.adherence.generated.num_images == 4
    assert first.adherence.real == first.usefulness.real
    useful = first.usefulness
    assert useful.gain == pytest.approx(useful.both.miou - useful.real.miou)
    assert first.detection is None
    assert first.distribution.kid is first.distribution.fid is None
    assert first.copying.reference == "held-out photographs"
    assert first.diversity.l1 >= 0


def test_without_labelled_photographs_generated_ones_of_other_labels_judge(
    make_config: Callable, snapshot: Callable, tmp_path: Path
) -> None:
    config = make_config(evaluate={"real_pairs": False, "num_variants": 1})
    boxes = {f"Test-{number}": [["ball", 0.5, 0.5, 0.3, 0.3]] for number in range(2)}
    (tmp_path / "source" / "boxes.json").write_text(json.dumps(boxes))
    found = evaluate(config, prepared(config), snapshot(config))
    assert found.adherence.judge == "generated"
    assert found.adherence.real is found.usefulness is found.diversity is None
    assert (found.detection.num_photos, found.detection.held_out) == (1, True)
    assert found.detection.judges["generated"]["ball"]["0.5"].num_wanted == 1


def test_the_seed_moves_the_numbers(make_config: Callable, snapshot: Callable) -> None:
    ref, found = None, []
    for seed in (0, 1):
        config = make_config(evaluate={"seed": seed})
        ref = ref or snapshot(config)
        found.append(evaluate(config, prepared(config), ref))
    assert found[0].adherence != found[1].adherence


@pytest.fixture
def found(make_config: Callable, snapshot: Callable) -> Evaluation:
    config = make_config()
    return evaluate(config, prepared(config), snapshot(config))


def test_the_table_and_the_json_say_what_was_found(found: Evaluation) -> None:
    plain = json.loads(as_json(found))
    assert plain["usefulness"]["both"]["iou"]["ball"] == found.usefulness.both.iou["ball"]
    assert plain["distribution"]["fid"] is None
    assert len(numbers(plain)) > 20
    table = as_table(found)
    for number in (found.adherence.generated.miou, found.usefulness.generated.miou, found.copying.ratio):
        assert f"{number:.3f}" in table
    assert [line.split()[-2:] for line in table.splitlines() if line.startswith("FID")] == [
        ["not", "computed"]
    ]


def test_a_snapshot_of_other_classes_or_of_nothing_is_refused(
    make_config: Callable, snapshot: Callable, tmp_path: Path
) -> None:
    config = make_config()
    ref = snapshot(config)
    palettes = Path(__file__).parents[3] / "configs" / "palettes"
    other = config.model_copy(update={"palette": palettes / "robocup_spl.yaml"})
    with pytest.raises(ConfigError, match="other classes"):
        evaluate(other, prepared(config), ref)
    ref.path.write_bytes(b"nothing")
    with pytest.raises(ConfigError, match="cannot be evaluated"):
        evaluate(config, prepared(config), ref)
