"""What a benchmark finds, as rows of one table: a figure, and the goal that it is held against."""

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Row", "as_table"]

NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure."""

    id: str
    """Of the goal that it belongs to, "B1" to "B14"."""
    what: str
    """What was measured, beside what: "attention mask beside a pixel loop"."""
    value: float | None
    """None = not measured."""
    unit: str
    """ "x" for a ratio, "%" for a share of a limit, "images/s", "s", "MiB", ..."""
    goal: float | None = None
    """None = there is none; the figure is shown beside the others."""
    is_less_better: bool = False
    """The goal is the most that the figure may be."""
    note: str = ""
    """Why it was not measured, or what one must know to read it."""

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None where nothing was measured or there is no goal."""
        if self.value is None or self.goal is None:
            return None
        return self.value <= self.goal if self.is_less_better else self.value >= self.goal

    def as_plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"is_met": self.is_met}


def as_table(rows: list[Row]) -> str:
    """Lines of text: a row for each figure, with its goal and whether it is met."""
    width = max((len(row.what) for row in rows), default=0)
    lines = [f"{'':4} {'':{width}} {'measured':>16}  goal"]
    return "\n".join([*lines, *(_line(row, width) for row in rows)])


def _line(row: Row, width: int) -> str:
    value = NOT_MEASURED if row.value is None else f"{_number(row.value)} {row.unit}"
    goal = ""
    if row.goal is not None:
        goal = f"{'<=' if row.is_less_better else '>='} {_number(row.goal)} {row.unit}"
    verdict = {True: "met", False: "NOT MET", None: ""}[row.is_met]
    return f"{row.id:4} {row.what:{width}} {value:>16}  {goal:18} {verdict:8} {row.note}".rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
