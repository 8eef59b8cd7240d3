"""A first config for a user's own folders, with every setting that is likely to be changed, explained."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from manifests.durable import create_durable, make_folders
from pipeline.config import ConfigError, SourcesConfig
from pipeline.images import read_image
from pipeline.palette import Palette, load_palette
from pipeline.sources.inspection import FoundSources, find_sources
from pipeline.sources.search import SourceError

__all__ = ["StartingConfig", "read_palette", "shipped_palette", "write_starting_config"]

PALETTES = Path(__file__).parent.parent / "configs" / "palettes"
NUM_LABELS_TRIED = 12
MAX_DRAFTED_CLASSES = 64
TRAINED_PX = 128 * 96
"""Size of the training crop that suits two CPU cores."""
MULTIPLE_PX = 8

TEMPLATE = """\
# Written by `seg2real init`. Check it with `seg2real validate {file}`, start with `seg2real run {file}`.
# Relative paths are relative to this file.
name: "{name}"
palette: {palette}
run_dir: runs/{name}    # checkpoints, snapshots, previews
output: output/{name}   # the published dataset

sources:
  labels: {labels}
  photos: {photos}

noise:
  amount: 0.3                 # saturation noise on the labels that the network sees; 0 = off

# These sizes suit two CPU cores and about half an hour; on a GPU take the ones in the comments.
train:
  method: attention_cyclegan
  background: generate        # outside the attention mask: generate, mask_both, photo or keep
  {width:28}# {gpu_width} on a GPU
  {height:28}# {gpu_height}
  batch_size: 4
  total_images: 8_000         # 400_000
  generator: {{width: 32, num_blocks: 6, skip_connection: true}}     # width 64, num_blocks 9
  discriminator: {{width: 32}}                # {{width: 64}}
  ema_halflife_images: 500    # 2_000
  report_every_images: 100
  preview_every_images: 1_000
  snapshot_every_images: 2_000              # 20_000; the one whose images follow labels best is used
  checkpoint_every_images: 1_000

generate:
  variants: 1                 # images per label, each with its own noise
  image_format: png           # jpg takes a quarter of the space

publish:
  val_fraction: 0.1
  test_fraction: 0.1
"""


class StartingConfig(NamedTuple):
    """What was written."""

    config: Path
    palette: Path
    why_palette: str
    """Where the palette comes from, as a clause."""


def write_starting_config(
    path: Path, *, labels: Path, photos: Path, palette: Path | None = None
) -> StartingConfig:
    """Write a commented config, and beside it a copy of the palette; replaces nothing.

    Args:
        path: the YAML file to write.
        labels: folder with segmentation images, in any known layout.
        photos: folder with photographs; nothing is paired.
        palette: of the labels; None = the first that comes with the project and has their colours, else a
            draft with a class for each colour found.

    Raises:
        ConfigError: a file is there already, the palette is none, there are no labels or photographs that
            can be used, or the labels have no few plain colours.
        SourceError: a folder does not exist or holds nothing known.
    """
    found = find_sources(SourcesConfig(labels=labels, photos=photos))
    _refuse_unusable(found, labels, photos)
    tried = [label.path for label in found.labels][:: -(-len(found.labels) // NUM_LABELS_TRIED)]
    if palette is not None:
        read_palette(palette)
        text, why = palette.read_text(encoding="utf-8"), f"copied from {palette}"
    else:
        text, why = _matching_palette(tried)
    copy = path.with_name(f"{path.stem}-palette.yaml")
    for file in (path, copy):
        if file.exists():
            raise ConfigError(f"{file} exists already and is not replaced; choose another name.")
    height, width = read_image(tried[0]).shape[:2]
    crop_width, crop_height = _crop(width, height)
    config = TEMPLATE.format(
        file=path,
        name=_as_name(path.stem),
        palette=json.dumps(copy.name),
        labels=_seen_from(path, labels),
        photos=_seen_from(path, photos),
        width=f"width: {crop_width}",
        height=f"height: {crop_height}",
        gpu_width=3 * crop_width,
        gpu_height=3 * crop_height,
    )
    make_folders(path.absolute().parent)
    create_durable(copy, text.encode())
    create_durable(path, config.encode())
    return StartingConfig(path, copy, why)


def _refuse_unusable(found: FoundSources, labels: Path, photos: Path) -> None:
    for finding in found.findings:
        if finding.severity == "error":
            raise SourceError(finding.path, f"{finding.what}; {finding.fix}")
    for kind, root, items in (("labels", labels, found.labels), ("photographs", photos, found.photos)):
        if not items:
            left_out = [str(finding) for finding in found.findings if finding.code == "skipped-file"]
            why = left_out[0] if left_out else "No picture lies where its layout wants them."
            raise ConfigError(f"{root} holds no {kind} that can be used. {why}")


def shipped_palette(name: str) -> Path:
    """A palette that comes with the project.

    Raises:
        ConfigError: there is none of that name.
    """
    path = PALETTES / f"{name}.yaml"
    if not path.is_file():
        raise ConfigError(f"There is no palette {path}; give one with --palette.")
    return path


def read_palette(path: Path) -> Palette:
    """The palette in a file; ConfigError when it cannot be used."""
    try:
        return load_palette(path)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _matching_palette(labels: Sequence[Path]) -> tuple[str, str]:
    """A palette's text, and where it comes from."""
    colors = sorted({tuple(color) for label in labels for color in _colors(label).tolist()})
    palettes = {path: read_palette(path) for path in sorted(PALETTES.glob("*.yaml"))}
    for path, palette in sorted(palettes.items(), key=lambda item: item[1].num_classes):
        if {cls.color for cls in palette.classes}.issuperset(colors):
            return path.read_text(encoding="utf-8"), f"'{path.stem}' has the colours of these labels"
    if len(colors) > MAX_DRAFTED_CLASSES:
        raise ConfigError(
            f"{labels[0]} and {len(labels) - 1} other labels have {len(colors)} colours; segmentation images "
            f"with at most {MAX_DRAFTED_CLASSES} plain ones were wanted, or a palette given with --palette."
        )
    lines = ["# A draft: name the classes, and mark the background.", "name: draft", "classes:"]
    for red, green, blue in colors:
        mark = ", background: true" if red == green == blue == 0 else ""
        lines.append(
            f"  - {{name: color_{red:02x}{green:02x}{blue:02x}, color: [{red}, {green}, {blue}]{mark}}}"
        )
    return "\n".join([*lines, ""]), "drafted from the colours found; name its classes"


def _colors(label: Path) -> np.ndarray:
    """uint8 [K, 3]: the colours of a segmentation image."""
    return np.unique(read_image(label).reshape(-1, 3), axis=0)


def _crop(width: int, height: int) -> tuple[int, int]:
    """A training crop with the labels' aspect ratio."""
    scale = (TRAINED_PX / (width * height)) ** 0.5
    return tuple(max(16, round(side * scale / MULTIPLE_PX) * MULTIPLE_PX) for side in (width, height))


def _as_name(stem: str) -> str:
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in stem)
    return (kept if kept[:1].isalnum() else f"run{kept}")[:64]


def _seen_from(config: Path, folder: Path) -> str:
    """The folder as the config names it, quoted as YAML wants it."""
    relative = os.path.relpath(folder.absolute(), config.absolute().parent)
    name = relative if not relative.startswith(os.path.join(*[os.pardir] * 3)) else str(folder.absolute())
    return json.dumps(name)
