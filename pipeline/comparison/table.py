"""A comparison as a table for people."""

from itertools import zip_longest
from typing import Any

from pipeline.evaluation.table import with_sd

__all__ = ["as_table", "by_usefulness", "name_of_score", "score_of"]

COLUMNS = (
    "adherence",
    "generated",
    "/ real",
    "both",
    "both - real",
    "copying",
    "D right",
    "images",
    "seconds",
)


def as_table(found: dict[str, Any]) -> str:
    """A row for each entry, the most useful first, and under it what the judges reach on photographs alone.

    "adherence" is mIoU of the judges on generated images; "generated" and "both" are mIoU on held-out
    photographs of judges trained on generated and on both: means, with how far the judges lie apart.
    "D right" is the last accuracy of the discriminators, the label's and the photograph's; "seconds" is how
    long the training took, whatever else the machine did.
    """
    entries = by_usefulness(found)
    rows = [["", *COLUMNS], *([name, *_cells(entry)] for name, entry in entries)]
    useful = entries[0][1]["evaluation"]["usefulness"]
    if useful is not None:
        real = entries[0][1]["evaluation"]["adherence"]["real"]
        rows.append(["real photographs", _mean(real, "miou"), _mean(useful["real"], "miou")])
    names, *columns = ([len(cell) for cell in column] for column in zip_longest(*rows, fillvalue=""))
    widths = [max(column) + 2 for column in columns]
    lines = []
    for name, *cells in rows:
        line = "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=False))
        lines.append(f"{name:<{max(names)}}{line}")
    if useful is not None and not entries[0][1]["evaluation"]["budget"]["has_test_pairs"]:
        lines.append("The generators have seen the held-out photographs, as no test folder holds any.")
    return "\n".join(lines)


def by_usefulness(found: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Names and entries, the best score first."""
    return sorted(found["entries"].items(), key=lambda item: -score_of(item[1]))


def name_of_score(entry: dict[str, Any]) -> str:
    """What `score_of` is: "usefulness", or "adherence" where there are no labelled photographs."""
    return "usefulness" if entry["evaluation"]["usefulness"] else "adherence"


def score_of(entry: dict[str, Any]) -> float:
    """mIoU by which entries are ranked."""
    return entry["evaluation"][name_of_score(entry)]["generated"]["miou"]


def _cells(entry: dict[str, Any]) -> list[str]:
    evaluation, training = entry["evaluation"], entry["training"]
    useful = evaluation["usefulness"]
    last = training["curve"][-1]
    right = "/".join(f"{last[name]:.2f}" for name in ("accuracy_a", "accuracy_b") if name in last)
    return [
        _mean(evaluation["adherence"]["generated"], "miou"),
        _mean(useful and useful["generated"], "miou"),
        _mean(useful, "ratio"),
        _mean(useful and useful["both"], "miou"),
        _mean(useful, "gain", sign="+"),
        _number(evaluation["copying"]["ratio"]),
        right,
        str(training["total_images"]),
        f"{training['seconds']:.0f}",
    ]


def _mean(scores: dict[str, Any] | None, name: str, *, sign: str = "") -> str:
    return "-" if scores is None else with_sd(scores[name], scores[f"{name}_sd"], sign=sign)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
