"""A comparison as a table for people."""

from typing import Any

__all__ = ["as_table"]

COLUMNS = ("adherence", "generated", "/ real", "both", "both - real", "copying", "D right", "images", "per s")


def as_table(found: dict[str, Any]) -> str:
    """A row for each entry, the most useful first, and under it what the judges reach on photographs alone.

    "adherence" is mIoU of the judge on generated images; "generated" and "both" are mIoU on held-out
    photographs of judges trained on generated and on both; "D right" is the last accuracy of the
    discriminators, the label's and the photograph's.
    """
    entries = sorted(found["entries"].items(), key=lambda item: -_usefulness(item[1]))
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


def _usefulness(entry: dict[str, Any]) -> float:
    useful = entry["evaluation"]["usefulness"]
    return useful["generated"]["miou"] if useful else entry["evaluation"]["adherence"]["generated"]["miou"]


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
