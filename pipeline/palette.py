"""Palettes: class id <-> name <-> colour, and the exact way between segmentation images and label maps."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import yaml
from pydantic import Field, SerializerFunctionWrapHandler, ValidationError, model_serializer, model_validator

from gan.config import StrictModel

__all__ = [
    "Palette",
    "PaletteClass",
    "UnknownColorError",
    "colorize",
    "decode",
    "decode_codes",
    "decode_rgb",
    "load_palette",
]

UNKNOWN = 255
"""What the lookup holds for a colour outside the palette; ids end at 254."""

MAX_BLENDED_FRACTION = 0.1
"""Blended edge pixels are a thin minority; above this share of an image they are no edges."""

BLEND_RADIUS_PX = 2
"""An anti-aliasing filter mixes colours from no further than this."""

TILE_PX = 1 << 14
"""Pixels looked up at a time: their indices stay in the cache, and the allocator keeps their memory."""

NUM_CODES = 26 * 256
"""Of ADE20K: R // 10 and G."""

_OF_CODES = ("codes", "is_rest")

Channel = Annotated[int, Field(ge=0, le=255)]


class PaletteClass(StrictModel):
    """One class; its id is its position in the palette."""

    name: str = Field(min_length=1)
    color: tuple[Channel, Channel, Channel]
    """RGB, 0 to 255."""
    background: bool = False
    """Outside the attention mask: nothing there that a label promises."""
    ignore: bool = False
    """Unlabelled pixels: they stand for no class when results are scored."""
    thing: bool = False
    """Its connected parts are objects, such as balls and robots; exports to instance formats count them."""
    codes: tuple[Annotated[int, Field(ge=0, lt=NUM_CODES)], ...] = ()
    """Numbers of this class in ADE20K's files, where a pixel is `R // 10 * 256 + G` and B tells instances
    apart. A palette with codes reads RGB labels so, and not by their colours."""
    is_rest: bool = False
    """Every code that no class names is this one."""

    @model_serializer(mode="wrap")
    def _as_before(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without codes as palettes were written before there were any: runs compare what they hold."""
        values = plain(self)
        return values if self.codes or self.is_rest else {k: values[k] for k in values if k not in _OF_CODES}


class Palette(StrictModel):
    """Classes of a data set in the order of their ids."""

    name: str = Field(min_length=1)
    classes: tuple[PaletteClass, ...] = Field(min_length=1, max_length=255)

    @model_validator(mode="after")
    def _distinct(self) -> "Palette":
        _refuse_twins("name", [(c, c.name) for c in self.classes])
        _refuse_twins("color", [(c, c.color) for c in self.classes])
        _refuse_twins("code", [(c, code) for c in self.classes for code in c.codes])
        num_rests = sum(c.is_rest for c in self.classes)
        if num_rests > 1 or (num_rests and not self.has_codes):
            raise ValueError("one class can be the rest (is_rest), and only where classes have codes")
        return self

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.classes)

    @property
    def colors(self) -> np.ndarray:
        """uint8 [K, 3] RGB."""
        return np.array([c.color for c in self.classes], np.uint8)

    @property
    def has_codes(self) -> bool:
        return any(c.codes for c in self.classes)

    @property
    def is_background(self) -> np.ndarray:
        """bool [K]."""
        return np.array([c.background for c in self.classes])

    @property
    def is_ignored(self) -> np.ndarray:
        """bool [K]."""
        return np.array([c.ignore for c in self.classes])


class UnknownColorError(ValueError):
    """A segmentation image has colours that its palette does not have. The caller adds the file."""

    def __init__(self, palette_name: str, counts: Sequence[tuple[tuple[int, int, int], int]]) -> None:
        """`counts`: (RGB, number of pixels), most frequent first."""
        super().__init__(palette_name, counts)
        self.palette_name = palette_name
        self.counts = tuple(counts)
        self.num_pixels = sum(count for _, count in counts)

    def __str__(self) -> str:
        shown = ", ".join(f"{color} x {count}" for color, count in self.counts[:5])
        more = f" and {len(self.counts) - 5} more" if len(self.counts) > 5 else ""
        return (
            f"{self.num_pixels} pixels have {len(self.counts)} colours that palette '{self.palette_name}' "
            f"lacks: {shown}{more}; add them to the palette, or set sources.antialiased_edges if they are "
            f"blended edges"
        )


def load_palette(path: Path) -> Palette:
    """Read a palette from YAML: `name`, and `classes` as a list of `PaletteClass`.

    Raises:
        ValueError: the file cannot be read or is no palette; one sentence that names the file and the field.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"Palette {path} cannot be read: {reason}.") from None
    except yaml.YAMLError as error:
        raise ValueError(f"Palette {path} is no valid YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(values, dict):
        raise ValueError(f"Palette {path} holds {type(values).__name__}; 'name' and 'classes' were wanted.")
    try:
        return Palette.model_validate(values)
    except ValidationError as error:
        faults = (
            f"{'.'.join(map(str, item['loc'])) or 'palette'}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors()
        )
        raise ValueError(f"Palette {path} cannot be used: {'; '.join(faults)}.") from None


def decode(
    segmentation_image: np.ndarray, palette: Palette, *, antialiased_edges: bool = False
) -> np.ndarray:
    """Class ids of a segmentation image, exact to the level.

    With `antialiased_edges`, a pixel of a foreign colour is taken for a blended edge if each of its channels
    lies between those of the palette colours within 2 px of it, and gets the nearest of just these colours: a
    blend of ball and field is never read as the goal that happens to look like it. If over a tenth of the
    image would be such pixels, or one of them fits no neighbour, the image is refused as without the option.

    Args:
        segmentation_image: uint8 [H, W, 3] RGB.
        palette: the classes to look for.
        antialiased_edges: accept blended class borders.

    Returns:
        label_map: uint8 [H, W].

    Raises:
        UnknownColorError: a pixel has a colour outside the palette.
    """
    class_of_color = _class_of_color(palette.colors.tobytes())
    label_map = np.empty(segmentation_image.shape[:2], np.uint8)
    num_rows = max(1, TILE_PX // label_map.shape[1])
    for top in range(0, len(label_map), num_rows):
        rows = slice(top, top + num_rows)
        label_map[rows] = class_of_color.take(_pack(segmentation_image[rows]))
    if label_map.max(initial=0) < UNKNOWN:
        return label_map
    unknown = label_map == UNKNOWN
    if antialiased_edges and unknown.mean() <= MAX_BLENDED_FRACTION:
        label_map[unknown] = _nearest_neighbor_class(segmentation_image, label_map, unknown, palette.colors)
        unknown = label_map == UNKNOWN
        if not unknown.any():
            return label_map
    raise UnknownColorError(palette.name, _count_colors(_pack(segmentation_image)[unknown]))


def decode_rgb(
    segmentation_image: np.ndarray, palette: Palette, *, antialiased_edges: bool = False
) -> np.ndarray:
    """Class ids of an RGB file: by codes where the palette has any, else by colours as `decode` has it."""
    if palette.has_codes:
        return decode_codes(segmentation_image, palette)
    return decode(segmentation_image, palette, antialiased_edges=antialiased_edges)


def decode_codes(segmentation_image: np.ndarray, palette: Palette) -> np.ndarray:
    """Class ids of a label as ADE20K has it: uint8 [H, W, 3] RGB -> uint8 [H, W]; see `PaletteClass.codes`.

    Raises:
        UnknownColorError: a pixel has a code that no class names, and none is the rest.
    """
    rest = next((class_id for class_id, c in enumerate(palette.classes) if c.is_rest), UNKNOWN)
    class_of_code = np.full(NUM_CODES, rest, np.uint8)
    for class_id, c in enumerate(palette.classes):
        class_of_code[list(c.codes)] = class_id
    tens, green = segmentation_image[..., 0] // 10, segmentation_image[..., 1]
    label_map = class_of_code.take(tens.astype(np.intp) * 256 + green)
    unknown = label_map == UNKNOWN
    if unknown.any():
        plain = np.stack([tens * 10, green, np.zeros_like(green)], axis=-1)  # all instances alike
        raise UnknownColorError(palette.name, _count_colors(_pack(plain)[unknown]))
    return label_map


def colorize(label_map: np.ndarray, palette: Palette) -> np.ndarray:
    """The segmentation image of a label map: uint8 [H, W] class ids -> uint8 [H, W, 3] RGB."""
    return palette.colors.take(label_map, axis=0)


def _refuse_twins(field: str, values: Sequence[tuple[PaletteClass, object]]) -> None:
    first: dict[object, str] = {}
    for c, value in values:
        if value in first:
            raise ValueError(
                f"classes '{first[value]}' and '{c.name}' have the same {field} {value}; each needs its own"
            )
        first[value] = c.name


def _pack(image: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3] -> uint32 [H, W], R in the lowest byte."""
    packed = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2RGBA).view("<u4")[..., 0]
    return packed & 0xFFFFFF


@functools.lru_cache(maxsize=4)
def _class_of_color(colors: bytes) -> np.ndarray:
    """uint8 [2^24]: class id of each packed colour. 16 MB, of which a label touches a few cache lines."""
    table = np.full(1 << 24, UNKNOWN, np.uint8)
    rgb = np.frombuffer(colors, np.uint8).reshape(-1, 3).astype(np.uint32)
    table[rgb[:, 0] | rgb[:, 1] << 8 | rgb[:, 2] << 16] = np.arange(len(rgb))
    return table


def _count_colors(packed: np.ndarray) -> list[tuple[tuple[int, int, int], int]]:
    colors, counts = np.unique(packed, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [
        ((int(c) & 255, int(c) >> 8 & 255, int(c) >> 16), int(n))
        for c, n in zip(colors[order], counts[order], strict=True)
    ]


def _nearest_neighbor_class(
    image: np.ndarray, label_map: np.ndarray, unknown: np.ndarray, colors: np.ndarray
) -> np.ndarray:
    """For each unknown pixel the class of the nearest colour among its neighbours', or UNKNOWN: uint8 [U]."""
    # Which classes stand around each unknown pixel?
    radius = BLEND_RADIUS_PX
    padded = np.pad(label_map, radius, constant_values=UNKNOWN)
    rows, columns = np.nonzero(unknown)
    present = np.zeros((len(rows), UNKNOWN + 1), bool)
    for dy in range(2 * radius + 1):
        for dx in range(2 * radius + 1):
            present[np.arange(len(rows)), padded[rows + dy, columns + dx]] = True

    # A blend lies between the colours that it blends, and goes to the nearest of them.
    pixels = image[unknown].astype(np.int32)
    low, high = np.full_like(pixels, 256), np.full_like(pixels, -1)
    nearest = np.full(len(pixels), UNKNOWN, np.uint8)
    smallest = np.full(len(pixels), np.iinfo(np.int32).max, np.int32)
    for class_id, color in enumerate(colors.astype(np.int32)):
        near = present[:, class_id]
        low[near] = np.minimum(low[near], color)
        high[near] = np.maximum(high[near], color)
        distance = ((pixels - color) ** 2).sum(axis=1)
        closer = near & (distance < smallest)
        nearest[closer] = class_id
        smallest[closer] = distance[closer]
    is_blend = ((low <= pixels) & (pixels <= high)).all(axis=1)
    return np.where(is_blend, nearest, np.uint8(UNKNOWN))
