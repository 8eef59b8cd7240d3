"""Which classes an export has, and what each is made of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

__all__ = [
    "IGNORED",
    "NONE",
    "ExportClass",
    "ExportClasses",
    "ExportError",
    "default_classes",
    "load_classes",
]

NONE = 0
"""Number of a pixel that belongs to no exported class."""
IGNORED = 255
"""Number of a pixel that the palette calls unlabelled; no format counts it."""
MAX_CLASSES = 254
_IGNORED_COLOR = (224, 224, 192)
"""The colour of VOC's void."""

Color = tuple[int, int, int]


class ExportError(ValueError):
    """An export that cannot be made; the message says why and what to do."""


class ExportClass(BaseModel):
    """One class of an export."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    members: tuple[str, ...] | None = Field(None, min_length=1)
    """Names of the palette's classes that are merged into it; None = the one of its own name."""
    thing: bool | None = None
    """Whether its connected parts are objects of their own; otherwise all of its pixels are one region.
    None = if the palette calls all of its members things."""


class ExportClasses:
    """The classes of an export, numbered from 1.

    A pixel of a class of the palette that is named by none is 0, "none"; if the palette ignores it, 255.

    Args:
        classes: by name, in the order of their numbers; None = `default_classes` of the palette.
        palette: the dataset's, as `Manifest.palette` has it.

    Raises:
        ExportError: there is no class or there are too many, or a member is no class of the palette or
            belongs to two.
    """

    def __init__(self, classes: Mapping[str, ExportClass] | None, palette: Mapping[str, Any]):
        self.are_given = classes is not None
        """Whether labels are other than in the dataset."""
        self._palette = palette
        entries = {entry["name"]: entry for entry in palette.get("classes", ())}
        classes = default_classes(palette) if classes is None else classes
        if not 0 < len(classes) <= MAX_CLASSES:
            raise ExportError(
                f"The export would have {len(classes)} classes; 1 to {MAX_CLASSES} were wanted, named by "
                "--classes or by the dataset's palette."
            )
        members = {name: _members(name, entry, entries) for name, entry in classes.items()}
        self.names = tuple(classes)
        self.is_thing = tuple(
            all(entries[member].get("thing", False) for member in members[name])
            if entry.thing is None
            else entry.thing
            for name, entry in classes.items()
        )
        ids = {name: number for number, name in enumerate(entries)}
        self._index_of_id = _index_of_id(members, ids, entries)
        left_out = [entry for name, entry in entries.items() if self._index_of_id[ids[name]] == NONE]
        self.has_none = bool(left_out)
        """Whether a class of the palette belongs to none."""
        of_none = min(left_out, key=lambda entry: not entry.get("background"), default={"color": (0, 0, 0)})
        self.colors: tuple[Color, ...] = tuple(
            _color(entry) for entry in (of_none, *(entries[of_class[0]] for of_class in members.values()))
        )
        """RGB by number: of a class that of its first member, of none that of a background left out."""
        self.none_name = "background"
        while self.none_name in self.names:
            self.none_name = f"_{self.none_name}"

    def __len__(self) -> int:
        return len(self.names)

    @property
    def num_ids(self) -> int:
        """Class ids of the dataset end before it."""
        return len(self._palette["classes"])

    def index_map(self, label_map: np.ndarray) -> np.ndarray:
        """uint8 [H, W]: the number of each pixel's class, NONE or IGNORED."""
        return self._index_of_id.take(label_map)

    @property
    def index_colors(self) -> np.ndarray:
        """uint8 [256, 3]: RGB by number."""
        colors = np.zeros((256, 3), np.uint8)
        colors[: len(self.colors)] = self.colors
        colors[IGNORED] = _IGNORED_COLOR
        return colors

    @property
    def id_colors(self) -> np.ndarray:
        """uint8 [256, 3]: RGB by class id of the dataset, which is its own where no classes were given."""
        colors = np.zeros((256, 3), np.uint8)
        for number, entry in enumerate(self._palette["classes"]):
            index = self._index_of_id[number]
            keeps = not self.are_given or index == IGNORED
            colors[number] = entry["color"] if keeps else self.colors[index]
        return colors

    @property
    def label_palette(self) -> dict[str, Any]:
        """What the pixels of labels mean in formats that keep the dataset's class ids where no classes were
        given; otherwise their numbers."""
        if not self.are_given:
            return dict(self._palette)
        things = (False, *self.is_thing)
        classes = [
            {"name": name, "color": list(color), "background": number == NONE, "thing": things[number]}
            for number, (name, color) in enumerate(
                zip((self.none_name, *self.names), self.colors, strict=True)
            )
        ]
        return {"name": self._palette.get("name", ""), "classes": classes}

    @property
    def label_names(self) -> list[str]:
        """The names in `label_palette`."""
        return [entry["name"] for entry in self.label_palette["classes"]]


def default_classes(palette: Mapping[str, Any]) -> dict[str, ExportClass]:
    """Every class of a palette but backgrounds and ignored ones, under its own name; things as it says."""
    return {
        entry["name"]: ExportClass()
        for entry in palette.get("classes", ())
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
    if not isinstance(values, dict) or not values:
        raise ExportError(
            f"{path} has no classes; a mapping was wanted, such as 'ball: {{members: [ball], thing: true}}'."
        )
    classes = {}
    for name, value in values.items():
        try:
            classes[str(name)] = ExportClass.model_validate({} if value is None else value)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, (name, *first["loc"])))
            raise ExportError(f"{path}: {where}: {first['msg']}.") from None
    return classes


def _members(name: str, entry: ExportClass, entries: Mapping[str, Any]) -> tuple[str, ...]:
    members = (name,) if entry.members is None else entry.members
    for member in members:
        if member not in entries:
            raise ExportError(f"There is no class '{member}'; the dataset has {', '.join(entries)}.")
    return members


def _index_of_id(
    members: Mapping[str, tuple[str, ...]], ids: Mapping[str, int], entries: Mapping[str, Any]
) -> np.ndarray:
    """uint8 [256]: an export's number of each class id of the dataset."""
    indices = np.zeros(256, np.uint8)
    for index, (name, of_class) in enumerate(members.items(), 1):
        for member in of_class:
            if other := indices[ids[member]]:
                raise ExportError(
                    f"Class '{member}' is a member of '{list(members)[other - 1]}' and of '{name}'; "
                    "name it once."
                )
            indices[ids[member]] = index
    for name, entry in entries.items():
        if entry.get("ignore") and indices[ids[name]] == NONE:
            indices[ids[name]] = IGNORED
    return indices


def _color(entry: Mapping[str, Any]) -> Color:
    red, green, blue = entry["color"]
    return red, green, blue
