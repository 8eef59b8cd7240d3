"""Stage: draw labels, their camera metadata and photo-like pictures into a folder."""

import json
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from manifests.durable import exclusive_lock, write_durable
from pipeline.images import encode_jpeg, encode_label_png, encode_png, write_file
from pipeline.palette import Palette
from pipeline.scenes.config import ScenesConfig
from pipeline.scenes.metadata import encode_metadata
from pipeline.scenes.photo import render_photo, render_scene
from pipeline.scenes.rendering import SceneError, class_ids, render_label
from pipeline.scenes.world import LABEL_SCENES, draw_scene

__all__ = [
    "LABEL_FOLDER",
    "META_FOLDER",
    "PHOTO_FOLDER",
    "SCENES_FOLDER",
    "SceneError",
    "draw_scenes",
    "other_scenes",
]

logger = logging.getLogger(__name__)

SCENES_FOLDER = "scenes"
"""Where a run's own scenes lie, in its run_dir."""
LABEL_FOLDER, META_FOLDER, PHOTO_FOLDER = "segTrain", "meta", "realTrain"
RENDERED_LABEL_FOLDER, RENDER_FOLDER = "trainA_seg", "trainA"
"""Of labels that have renders, in place of LABEL_FOLDER, and of these."""
CONFIG_FILE = "scenes.json"
DRAWING_NUMBER = 1
"""Raised whenever the same config gives other pictures."""
PHOTO_QUALITY = 92


def draw_scenes(
    out: Path,
    config: ScenesConfig,
    palette: Palette,
    *,
    overwrite: bool = False,
    num_workers: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Draw what the config asks for and `out` does not have yet.

    Labels go to `segTrain/scene-*.png` with `meta/scene-*.yaml`, photo-like pictures to
    `realTrain/photo-*.jpg`. With renders labels go to `trainA_seg/` instead, and their renders to
    `trainA/scene-*.png`. The same config gives the same bytes, whatever the number of workers and of
    interruptions; more scenes may be asked for later, and the first ones stay as they are.

    Args:
        out: folder, made where it is missing.
        overwrite: draw anew where the folder holds scenes of another config, and remove those.
        num_workers: threads; 0 = one per core.
        progress: called with (files done, files wanted), also for those found.

    Raises:
        SceneError: the folder holds scenes of another config, or the palette has no environment or field.
    """
    class_ids(palette)
    out.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(out / "scenes.lock", what=f"The folder of scenes {out}"):
        _claim_folder(out, config, palette, overwrite)
        jobs = [(_draw_label, out, config, palette, index) for index in range(config.num)]
        jobs += [(_draw_photo, out, config, palette, index) for index in range(config.num_photos)]
        if progress is not None:
            progress(0, len(jobs))
        with ThreadPoolExecutor(num_workers or os.cpu_count() or 1) as pool:
            for done, _ in enumerate(pool.map(lambda job: job[0](*job[1:]), jobs), start=1):
                if progress is not None:
                    progress(done, len(jobs))
        logger.info("%d labels and %d photo-like pictures in %s", config.num, config.num_photos, out)


def _draw_label(out: Path, config: ScenesConfig, palette: Palette, index: int) -> None:
    stem = f"scene-{index:06d}"
    label_file = out / (RENDERED_LABEL_FOLDER if config.renders else LABEL_FOLDER) / f"{stem}.png"
    if label_file.exists():
        return
    scene = draw_scene(config, LABEL_SCENES, index)
    label = encode_label_png(render_label(scene, config, palette), palette)
    # The label last: where it is, its metadata and its render are.
    if config.renders:
        write_file(out / RENDER_FOLDER / f"{stem}.png", encode_png(render_scene(config, index)))
    write_file(out / META_FOLDER / f"{stem}.yaml", encode_metadata(scene.camera))
    write_file(label_file, label)


def _draw_photo(out: Path, config: ScenesConfig, palette: Palette, index: int) -> None:
    photo_file = out / PHOTO_FOLDER / f"photo-{index:06d}.jpg"
    if not photo_file.exists():
        write_file(photo_file, encode_jpeg(render_photo(config, index), PHOTO_QUALITY))


def other_scenes(out: Path, config: ScenesConfig, palette: Palette) -> str | None:
    """Why `draw_scenes` would refuse a folder, as a clause; None when it would not."""
    held = _held_recipe(out / CONFIG_FILE)
    reason = "" if held is None else _difference(held, _recipe(config, palette))
    return f"it holds scenes of another config ({reason})" if reason else None


def _claim_folder(out: Path, config: ScenesConfig, palette: Palette, overwrite: bool) -> None:
    """Make sure that all scenes in a folder come from one config, and say in it which."""
    conflict = None if overwrite else other_scenes(out, config, palette)
    if conflict is not None:
        raise SceneError(
            f"{out} cannot be drawn into: {conflict}; choose another run_dir or folder, or remove this one "
            "to have them drawn anew."
        )
    record = out / CONFIG_FILE
    held, wanted = _held_recipe(record), _recipe(config, palette)
    if held == wanted:
        return
    if overwrite:
        _remove_drawn(out)
    write_durable(record, json.dumps(wanted, indent=1).encode())


def _recipe(config: ScenesConfig, palette: Palette) -> dict[str, Any]:
    """Everything that the files depend on."""
    return {
        "drawing_number": DRAWING_NUMBER,
        "scenes": config.model_dump(mode="json"),
        "palette": palette.model_dump(mode="json"),
    }


def _held_recipe(record: Path) -> dict[str, Any] | None:
    """What a folder's scenes were drawn from; None where there are none, {} where its record is damaged."""
    try:
        held = json.loads(record.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    return held if isinstance(held, dict) else {}


def _difference(held: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Why scenes of `held` cannot stand for those of `wanted`; empty when they can."""
    for name in ("drawing_number", "palette"):
        if held.get(name) != wanted[name]:
            return f"another {name.replace('_', ' ')}"
    old = held.get("scenes", {})
    for name, value in wanted["scenes"].items():
        is_count = name in ("num", "num_photos")
        if is_count and old.get(name, 0) > value:
            return f"{name} was {old[name]}, now {value}"
        before = old.get(name, ScenesConfig.model_fields[name].default)  # older than the setting
        if not is_count and before != value:
            return f"{name} was {before}, now {value}"
    return ""


def _remove_drawn(out: Path) -> None:
    for pattern in (
        f"{LABEL_FOLDER}/scene-*.png",
        f"{RENDERED_LABEL_FOLDER}/scene-*.png",
        f"{RENDER_FOLDER}/scene-*.png",
        f"{META_FOLDER}/scene-*.yaml",
        f"{PHOTO_FOLDER}/photo-*.jpg",
    ):
        for file in out.glob(pattern):
            file.unlink()
