"""A first config loads as it stands, fits the labels it was written for, and replaces nothing."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.config import ConfigError, load_config
from pipeline.images import encode_png, write_file
from pipeline.palette import load_palette
from pipeline.sources.search import SourceError
from pipeline.starting_config import StartingConfig, shipped_palette, write_starting_config

NUBOTS = [(0, 0, 0), (0, 255, 0), (255, 255, 255), (255, 255, 0)]
OWN = [(0, 0, 0), (10, 20, 30), (11, 20, 30)]


def _draw(folder: Path, colors: list[tuple[int, int, int]], *, width: int = 64, height: int = 48) -> Path:
    """One label with stripes of the colours, and one photograph."""
    stripes = np.array(colors, np.uint8)[np.arange(width) * len(colors) // width]
    label = np.broadcast_to(stripes, (height, width, 3)).copy()
    for name in ("segTrain/a.png", "realTrain/b.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_file(folder / name, encode_png(label))
    return folder


def _write(path: Path, source: Path, **options: Path) -> StartingConfig:
    return write_starting_config(path, labels=source, photos=source, **options)


def test_it_loads_and_names_the_folders_from_where_it_lies(tmp_path: Path) -> None:
    source = _draw(tmp_path / "my data", NUBOTS)
    written = _write(tmp_path / "configs" / "mine.yaml", source)
    config = load_config(written.config)
    assert config.name == "mine"
    assert config.sources.labels == config.sources.photos == (source,)
    assert config.output == tmp_path / "configs" / "output" / "mine"
    assert config.read_palette() == load_palette(shipped_palette("nubots"))
    assert "'nubots' has the colours" in written.why_palette


def test_the_training_crop_has_the_aspect_of_the_labels(tmp_path: Path) -> None:
    written = _write(tmp_path / "wide.yaml", _draw(tmp_path / "wide", NUBOTS, width=320, height=160))
    train = load_config(written.config).train
    assert train.width / train.height == pytest.approx(2, rel=0.06)
    assert train.width * train.height == pytest.approx(128 * 96, rel=0.15)


def test_unknown_colours_become_a_draft_that_reads_them(tmp_path: Path) -> None:
    written = _write(tmp_path / "own.yaml", _draw(tmp_path / "own", OWN))
    palette = load_config(written.config).read_palette()
    assert [cls.color for cls in palette.classes] == OWN
    assert [cls.background for cls in palette.classes] == [True, False, False]
    assert "drafted" in written.why_palette


def test_a_given_palette_is_copied_byte_for_byte(tmp_path: Path) -> None:
    palette = shipped_palette("camvid")
    written = _write(tmp_path / "given.yaml", _draw(tmp_path / "set", OWN), palette=palette)
    assert written.palette.read_bytes() == palette.read_bytes()


@pytest.mark.parametrize("there", ["mine.yaml", "mine-palette.yaml"])
def test_nothing_is_replaced(tmp_path: Path, there: str) -> None:
    source = _draw(tmp_path / "set", NUBOTS)
    (tmp_path / there).write_text("precious")
    with pytest.raises(ConfigError, match=f"{there} exists already"):
        _write(tmp_path / "mine.yaml", source)
    assert (tmp_path / there).read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["set", there])


def test_photographs_are_no_labels(tmp_path: Path) -> None:
    random = np.random.default_rng(0).integers(0, 256, (80, 3)).tolist()
    source = _draw(tmp_path / "set", [tuple(color) for color in random], width=160)
    with pytest.raises(ConfigError, match=r"have 80 colours; .* at most 64"):
        _write(tmp_path / "mine.yaml", source)


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere does not exist"):
        _write(tmp_path / "mine.yaml", tmp_path / "nowhere")


@pytest.mark.parametrize("stem", ["Meine Bilder", "-x", "2026.11"])
def test_any_file_name_gives_a_name_that_a_run_may_have(tmp_path: Path, stem: str) -> None:
    written = _write(tmp_path / f"{stem}.yaml", _draw(tmp_path / "set", NUBOTS))
    load_config(written.config)


def test_a_palette_that_is_none_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    source = _draw(tmp_path / "set", NUBOTS)
    with pytest.raises(ConfigError, match="cannot be read"):
        _write(tmp_path / "mine.yaml", source, palette=tmp_path / "none.yaml")
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_folder_without_usable_labels_says_why(tmp_path: Path) -> None:
    source = _draw(tmp_path / "set", NUBOTS)
    label = source / "segTrain" / "a.png"
    label.rename(label.with_suffix(".jpg"))
    with pytest.raises(
        ConfigError, match=r"holds no labels .*a\.jpg: it is left out: .* changes the colours"
    ):
        _write(tmp_path / "mine.yaml", source)
    label.with_suffix(".jpg").unlink()
    with pytest.raises(ConfigError, match="holds no labels that can be used"):
        _write(tmp_path / "mine.yaml", source)


def test_a_folder_without_photographs_is_refused(tmp_path: Path) -> None:
    source = _draw(tmp_path / "set", NUBOTS)
    (source / "realTrain" / "b.png").unlink()
    with pytest.raises(ConfigError, match="holds no photographs that can be used"):
        _write(tmp_path / "mine.yaml", source)
