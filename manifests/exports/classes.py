"""Which classes an export has, and what each is made of."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

__all__ = ["ExportClass", "ExportClasses", "ExportError", "default_classes", "load_classes"]

MAX_CLASSES = 254


class ExportError(ValueError):
    """An export that cannot be made; the message says why and what to do."""


class ExportClass(BaseModel):
    """One class of an export."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    members: tuple[str, ...] = Field(min_length=1)
    """Names of the palette's classes that are merged into it."""
    thing: bool = False
    """Whether its connected parts are objects of their own; otherwise all of its pixels are one region."""


class ExportClasses:
    """The classes of an export, numbered from 1; 0 is what belongs to none.

    Args:
        classes: by name.
        palette: the dataset's, as `Manifest.palette` has it.

    Raises:
        ExportError: a member is no class of the palette, or belongs to two.
    """

    def __init__(self, classes: Mapping[str, ExportClass], palette: Mapping[str, Any]):
        ids = {entry["name"]: index for index, entry in enumerate(palette["classes"])}
        self.names = tuple(classes)
        self.is_thing = tuple(entry.thing for entry in classes.values())
        self.colors = tuple(
            tuple(palette["classes"][_id_of(entry.members[0], ids)]["color"]) for entry in classes.values()
        )
        """RGB of each class: that of its first member."""
        self._index_of_id = np.zeros(256, np.uint8)
        for index, (name, entry) in enumerate(classes.items(), 1):
            for member in entry.members:
                number = _id_of(member, ids)
                if self._index_of_id[number]:
                    other = self.names[self._index_of_id[number] - 1]
                    raise ExportError(
                        f"Class '{member}' is a member of '{other}' and of '{name}'; name it once."
                    )
                self._index_of_id[number] = index
        self.is_ignored = np.zeros(256, bool)
        for index, entry in enumerate(palette["classes"]):
            self.is_ignored[index] = entry.get("ignore", False)

    def __len__(self) -> int:
        return len(self.names)

    def index_map(self, label_map: np.ndarray) -> np.ndarray:
        """uint8 [H, W]: the number of each pixel's class, 0 = none."""
        return self._index_of_id[label_map]


def default_classes(palette: Mapping[str, Any]) -> dict[str, ExportClass]:
    """Every class of a palette but backgrounds and ignored ones, under its own name; things as it says."""
    return {
        entry["name"]: ExportClass(members=(entry["name"],), thing=entry.get("thing", False))
        for entry in palette["classes"]
        if not entry.get("background") and not entry.get("ignore")
    }


def load_classes(path: Path) -> dict[str, ExportClass]:
    """Read classes from YAML: name -> {members: [...], thing: true}; what is not named is left out.

    Raises:
        ExportError: the file cannot be read, or a key or value is refused.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ExportError(f"{path} cannot be read: {str(error).splitlines()[0]}.") from None
    if not isinstance(values, dict) or not values or len(values) > MAX_CLASSES:
        raise ExportError(
            f"{path} has no classes; a mapping was wanted, such as 'ball: {{members: [ball], thing: true}}'."
        )
    classes = {}
    for name, value in values.items():
        try:
            classes[str(name)] = ExportClass.model_validate(value)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, (name, *first["loc"])))
            raise ExportError(f"{path}: {where}: {first['msg']}.") from None
    return classes


def _id_of(member: str, ids: Mapping[str, int]) -> int:
    if member not in ids:
        known: Sequence[str] = list(ids)
        raise ExportError(f"There is no class '{member}'; the dataset has {', '.join(known)}.")
    return ids[member]
