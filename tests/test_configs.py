"""The configs that come with the project load, their palettes are usable, their scenes are drawable."""

from pathlib import Path

import numpy as np
import pytest

from gan.methods.registry import METHODS
from pipeline.comparison.config import load_comparison
from pipeline.config import RunConfig, load_config
from pipeline.images import read_image, read_label
from pipeline.palette import colorize, decode, load_palette
from pipeline.preprocess import noise_table
from pipeline.scenes.drawing import (
    LABEL_FOLDER,
    META_FOLDER,
    PHOTO_FOLDER,
    RENDERED_LABEL_FOLDER,
    draw_scenes,
)

CONFIGS = Path(__file__).parent.parent / "configs"
RUNS = sorted([*CONFIGS.glob("*.yaml"), *(CONFIGS / "methods").glob("*.yaml")])
COMPARISONS = sorted((CONFIGS / "compare").glob("*.yaml"))
PALETTES = sorted((CONFIGS / "palettes").glob("*.yaml"))


def test_there_are_some() -> None:
    assert {path.stem for path in RUNS} >= {"demo", "robocup_spl", "robocup_msl", "football100"}
    assert {path.stem for path in PALETTES} >= {"nubots", "robocup_spl", "football100"}


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_a_run_loads_with_a_palette_that_takes_its_noise(path: Path) -> None:
    config = load_config(path)
    assert config.name == path.stem
    noise_table(config.read_palette(), config.color_noise)
    assert config.scenes is not None or config.sources.labels
    assert (config.scenes is not None and config.scenes.num_photos) or config.sources.photos


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_runs_keep_to_places_of_their_own(path: Path) -> None:
    config = load_config(path)
    assert (config.run_dir.name, config.output.name) == (path.stem, path.stem)
    assert config.run_dir != config.output


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_a_run_ends_with_a_snapshot_and_a_report(path: Path) -> None:
    train = load_config(path).train
    for every in (train.snapshot_every_images, train.report_every_images):
        assert every <= train.total_images


def test_every_method_has_a_run() -> None:
    assert {load_config(path).train.method for path in RUNS} == set(METHODS)


@pytest.mark.parametrize("path", COMPARISONS, ids=lambda path: path.stem)
def test_a_comparison_is_of_runs_that_load(path: Path) -> None:
    comparison = load_comparison(path)
    assert comparison.folder.name == path.stem
    assert {"attention_cyclegan", "cyclegan", "cut", "segback"} <= {
        comparison.run_of(name).train.method for name in comparison.entries
    }


@pytest.mark.parametrize("path", PALETTES, ids=lambda path: path.stem)
def test_a_palette_names_its_colours_and_decodes_them(path: Path) -> None:
    palette = load_palette(path)
    assert palette.name == path.stem
    label_map = np.arange(palette.num_classes, dtype=np.uint8)[None]
    np.testing.assert_array_equal(decode(colorize(label_map, palette), palette), label_map)


def test_the_nubots_palette_is_theirs() -> None:
    palette = load_palette(CONFIGS / "palettes" / "nubots.yaml")
    assert {c.name: c.color for c in palette.classes} == {
        "environment": (0, 0, 0),
        "ball": (255, 0, 0),
        "goal": (255, 255, 0),
        "robot": (0, 0, 255),
        "field": (0, 255, 0),
        "line": (255, 255, 255),
    }


def _few_scenes(name: str) -> RunConfig:
    config = load_config(CONFIGS / f"{name}.yaml")
    return config.model_copy(update={"scenes": config.scenes.model_copy(update={"num": 4, "num_photos": 2})})


@pytest.mark.parametrize("name", [path.stem for path in RUNS if load_config(path).scenes is not None])
def test_scenes_can_be_drawn(name: str, tmp_path: Path) -> None:
    config = _few_scenes(name)
    palette = config.read_palette()
    draw_scenes(tmp_path, config.scenes, palette)
    folder = RENDERED_LABEL_FOLDER if config.scenes.renders else LABEL_FOLDER
    labels = sorted((tmp_path / folder).glob("*.png"))
    photos = sorted((tmp_path / PHOTO_FOLDER).glob("*.jpg"))
    assert (len(labels), len(photos), len(list((tmp_path / META_FOLDER).glob("*.yaml")))) == (4, 2, 4)
    size = (config.scenes.height, config.scenes.width)
    seen = {palette.names[index] for path in labels for index in np.unique(read_label(path, palette))}
    assert {"environment", "field", "line"} <= seen
    assert {read_label(path, palette).shape for path in labels} == {size}
    assert {read_image(path).shape[:2] for path in photos} == {size}
