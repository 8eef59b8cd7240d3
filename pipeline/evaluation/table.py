"""An evaluation as a table for people."""

from pipeline.evaluation.results import Evaluation
from pipeline.evaluation.scores import Scores

__all__ = ["as_table"]

NAME_CHARACTERS = 40
NOT_COMPUTED = "not computed"


def as_table(evaluation: Evaluation) -> str:
    """Lines of text: what was measured, then a row for each number or group of numbers."""
    judged, budget = evaluation.judged, evaluation.budget
    held_out = "test folders" if budget.has_test_labels else "a share by hash, which the generator has seen"
    lines = [
        f"{judged.name}: {judged.snapshot} ({judged.method}, {judged.num_images_seen} images seen)",
        f"{budget.width} x {budget.height} px, seed {budget.seed}, judges {budget.judge_width} wide see "
        f"{budget.judge_images} images; held out: {held_out}",
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
    header = _row("", "pixels", "mIoU", *classes)
    lines = [
        header,
        _row(f"adherence (judge: {adherence.judge})", *_cells(adherence.generated)),
        _row("  the judge on photographs", *(_cells(adherence.real) if adherence.real else [NOT_COMPUTED])),
    ]
    if usefulness is None:
        return [*lines, _row("usefulness", NOT_COMPUTED + ": no labelled photographs are held out")]
    return [
        *lines,
        _row("usefulness: trained on generated", *_cells(usefulness.generated)),
        _row("  trained on real", *_cells(usefulness.real)),
        _row("  trained on both", *_cells(usefulness.both)),
        _row("  generated / real", "", _number(usefulness.ratio)),
        _row("  both - real", "", f"{usefulness.gain:+.3f}"),
    ]


def _detection(evaluation: Evaluation) -> list[str]:
    detection = evaluation.detection
    if detection is None:
        return []
    lines = [_row(f"boxes of {detection.num_photos} photographs", "precision", "recall", "F1")]
    for trained_on, classes in detection.judges.items():
        for name, overlaps in classes.items():
            for least, scores in overlaps.items():
                cells = [_number(value) for value in (scores.precision, scores.recall, scores.f1)]
                lines.append(
                    _row(f"  trained on {trained_on}: {name}, IoU {least}", f"{cells[0]:>9}", *cells[1:])
                )
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


def _cells(scores: Scores) -> list[str]:
    return [_number(scores.pixel_accuracy), _number(scores.miou), *map(_number, scores.iou.values())]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _row(name: str, *cells: str) -> str:
    return f"{name:<{NAME_CHARACTERS}}" + "".join(f" {cell:>{max(8, len(cell))}}" for cell in cells).rstrip()
