"""A comparison as a table for people."""

from typing import Any

__all__ = ["as_table", "by_usefulness", "name_of_score", "score_of"]

COLUMNS = ("adherence", "generated", "/ real", "both", "both - real", "copying", "D right", "images", "per s")


def as_table(found: dict[str, Any]) -> str:
    """A row for each entry, the most useful first, and under it what the judges reach on photographs alone.

    "adherence" is mIoU of the judge on generated images; "generated" and "both" are mIoU on held-out
    photographs of judges trained on generated and on both; "D right" is the last accuracy of the
    discriminators, the label's and the photograph's.
    """
    entries = by_usefulness(found)
    width = max(len("real photographs"), *(len(name) for name, _ in entries)) + 2
    lines = [" " * width + "".join(f"{column:>12}" for column in COLUMNS)]
    for name, entry in entries:
        lines.append(f"{name:<{width}}" + "".join(f"{cell:>12}" for cell in _cells(entry)))
    useful = entries[0][1]["evaluation"]["usefulness"]
    if useful is not None:
        real = entries[0][1]["evaluation"]["adherence"]["real"]
        cells = (_number(real and real["miou"]), _number(useful["real"]["miou"]))
        lines.append(f"{'real photographs':<{width}}" + "".join(f"{cell:>12}" for cell in cells))
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
        _number(evaluation["adherence"]["generated"]["miou"]),
        _number(useful and useful["generated"]["miou"]),
        _number(useful and useful["ratio"]),
        _number(useful and useful["both"]["miou"]),
        "-" if useful is None else f"{useful['gain']:+.3f}",
        _number(evaluation["copying"]["ratio"]),
        right,
        str(training["total_images"]),
        f"{training['images_per_second']:.1f}",
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
