"""An evaluation as a table for people."""

from pipeline.evaluation.results import Evaluation
from pipeline.evaluation.several import MeanScores

__all__ = ["as_table", "with_sd"]

NAME_CHARACTERS = 40
MEAN_CHARACTERS = 15
NOT_COMPUTED = "not computed"


def as_table(evaluation: Evaluation) -> str:
    """Lines of text: what was measured, then a row for each number or group of numbers. Those of classes are
    means over judges; how far the judges lie apart is in the JSON."""
    judged, budget = evaluation.judged, evaluation.budget
    held_out = _held_out(budget.has_test_labels)
    lines = [
        f"{judged.name}: {judged.snapshot} ({judged.method}, {judged.num_images_seen} images seen)",
        f"{budget.width} x {budget.height} px, seed {budget.seed}, {budget.num_judges} judges of each kind, "
        f"{budget.judge_width} wide, see {budget.judge_images} images; labels held out: {held_out}",
        f"{budget.num_train_labels} + {budget.num_test_labels} labels x {budget.num_variants} variants, "
        f"{budget.num_train_pairs} + {budget.num_test_pairs} labelled photographs (train + test)",
        "",
        *_scores(evaluation),
        "",
        *_detection(evaluation),
        *_sets(evaluation),
        *_likeness(evaluation),
    ]
    return "\n".join(lines)


def _scores(evaluation: Evaluation) -> list[str]:
    adherence, usefulness = evaluation.adherence, evaluation.usefulness
    classes = list(adherence.generated.iou)
    lines = [
        _row("", _wide("pixels"), _wide("mIoU"), *classes),
        _row(f"adherence (judge: {adherence.judge})", *_cells(adherence.generated)),
        _row("  the judge on photographs", *(_cells(adherence.real) if adherence.real else [NOT_COMPUTED])),
    ]
    if usefulness is None:
        return [*lines, _row("usefulness", NOT_COMPUTED + ": no labelled photographs are held out")]
    ratio = with_sd(usefulness.ratio, usefulness.ratio_sd)
    gain = with_sd(usefulness.gain, usefulness.gain_sd, sign="+")
    return [
        *lines,
        _row(f"on photographs held out: {_held_out(evaluation.budget.has_test_pairs)}"),
        _row("usefulness: trained on generated", *_cells(usefulness.generated)),
        _row("  trained on real", *_cells(usefulness.real)),
        _row("  trained on both", *_cells(usefulness.both)),
        _row("  generated / real", _wide(""), _wide(ratio)),
        _row("  both - real", _wide(""), _wide(gain)),
    ]


def _held_out(is_unseen: bool) -> str:
    return "test folders" if is_unseen else "a share by hash, which the generator has seen"


def _detection(evaluation: Evaluation) -> list[str]:
    detection = evaluation.detection
    if detection is None:
        return []
    titles = ("precision", "recall", "F1")
    lines = [_row(f"boxes of {detection.num_photos} photographs", *map(_wide, titles))]
    for trained_on, classes in detection.judges.items():
        for name, overlaps in classes.items():
            for least, scores in overlaps.items():
                cells = (
                    with_sd(scores.precision, scores.precision_sd),
                    with_sd(scores.recall, scores.recall_sd),
                    with_sd(scores.f1, scores.f1_sd),
                )
                lines.append(_row(f"  trained on {trained_on}: {name}, IoU {least}", *map(_wide, cells)))
    return [*lines, ""]


def _sets(evaluation: Evaluation) -> list[str]:
    found = evaluation.distribution
    return [
        _row("KID (Inception)", NOT_COMPUTED if found.kid is None else f"{found.kid:.5f}"),
        _row("FID (Inception)", NOT_COMPUTED if found.fid is None else f"{found.fid:.2f}"),
        _row("kid_segmenter", _small(found.kid_segmenter)),
        _row("  of unseen photographs", _small(found.kid_segmenter_real)),
    ]


def _likeness(evaluation: Evaluation) -> list[str]:
    copying, diversity = evaluation.copying, evaluation.diversity
    lines = [
        _row("distance to nearest training photograph", _number(copying.ratio), f"of {copying.reference}"),
        _row("  the closest", _number(copying.smallest_ratio), copying.closest_label, copying.closest_photo),
    ]
    if diversity is None:
        return [*lines, _row("variants of a label", NOT_COMPUTED)]
    return [
        *lines,
        _row("variants of a label: pixels differ by", _number(diversity.l1)),
        _row("  features", _small(diversity.features)),
        _row("  features of different labels", _small(diversity.between_labels)),
    ]


def _small(value: float | None) -> str:
    return NOT_COMPUTED if value is None else f"{value:.4g}"


def with_sd(mean: float | None, sd: float | None, *, sign: str = "") -> str:
    """A mean and how far judges lie apart: "0.767 +- 0.012"; the mean alone where one judge gave it."""
    if mean is None:
        return "-"
    return f"{mean:{sign}.3f}" if sd is None else f"{mean:{sign}.3f} +- {sd:.3f}"


def _cells(scores: MeanScores) -> list[str]:
    pixels = with_sd(scores.pixel_accuracy, scores.pixel_accuracy_sd)
    miou = with_sd(scores.miou, scores.miou_sd)
    return [_wide(pixels), _wide(miou), *map(_number, scores.iou.values())]


def _wide(cell: str) -> str:
    return f"{cell:>{MEAN_CHARACTERS}}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _row(name: str, *cells: str) -> str:
    return f"{name:<{NAME_CHARACTERS}}" + "".join(f" {cell:>{max(8, len(cell))}}" for cell in cells).rstrip()
