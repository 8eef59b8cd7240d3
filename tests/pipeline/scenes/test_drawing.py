"""The stage: files, prefixes, resumption, refusals."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from pipeline.images import read_image, read_label
from pipeline.palette import Palette, PaletteClass
from pipeline.scenes.config import ScenesConfig
from pipeline.scenes.drawing import SceneError, draw_scenes, other_scenes
from pipeline.sources.search import find_labels, find_photos

NAMES = ("environment", "ball", "goal", "robot", "field", "line")
PALETTE = Palette(
    name="six", classes=tuple(PaletteClass(name=n, color=(40 * i, 255 - i, 0)) for i, n in enumerate(NAMES))
)


def make_config(**values: object) -> ScenesConfig:
    return ScenesConfig(**{"num": 4, "num_photos": 2, "width": 48, "height": 36, **values})


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.suffix in (".png", ".jpg", ".yaml")
    }


def test_labels_metadata_and_photos_are_written(tmp_path: Path) -> None:
    calls = []
    draw_scenes(tmp_path, make_config(), PALETTE, progress=lambda done, wanted: calls.append((done, wanted)))
    assert list(contents(tmp_path)) == (
        [f"meta/scene-{i:06d}.yaml" for i in range(4)]
        + [f"realTrain/photo-{i:06d}.jpg" for i in range(2)]
        + [f"segTrain/scene-{i:06d}.png" for i in range(4)]
    )
    assert calls == [(done, 6) for done in range(7)]
    label_map = read_label(tmp_path / "segTrain/scene-000000.png", PALETTE)
    assert label_map.shape == (36, 48) and set(np.unique(label_map)) <= set(range(6))
    assert read_image(tmp_path / "realTrain/photo-000001.jpg").shape == (36, 48, 3)
    assert yaml.safe_load((tmp_path / "meta/scene-000003.yaml").read_text())["projection"] == "RECTILINEAR"


def test_renders_lie_beside_their_labels_where_sources_are_searched(tmp_path: Path) -> None:
    draw_scenes(tmp_path, make_config(renders=True), PALETTE)
    found = find_labels(tmp_path)
    assert [label.relative for label in found] == [f"trainA_seg/scene-{i:06d}.png" for i in range(4)]
    assert [label.render_path for label in found] == [
        tmp_path / f"trainA/scene-{i:06d}.png" for i in range(4)
    ]
    assert [photo.path.name for photo in find_photos(tmp_path)] == ["photo-000000.jpg", "photo-000001.jpg"]
    draw_scenes(tmp_path / "plain", make_config(), PALETTE)
    for label in found:
        plain = tmp_path / "plain" / "segTrain" / label.path.name
        assert label.path.read_bytes() == plain.read_bytes()
        assert read_image(label.render_path).shape == (36, 48, 3)


def test_scenes_from_before_there_were_renders_are_scenes_without(tmp_path: Path) -> None:
    draw_scenes(tmp_path, make_config(), PALETTE)
    record = tmp_path / "scenes.json"
    held = json.loads(record.read_text())
    del held["scenes"]["renders"]
    record.write_text(json.dumps(held))
    assert other_scenes(tmp_path, make_config(), PALETTE) is None
    assert "renders was False, now True" in other_scenes(tmp_path, make_config(renders=True), PALETTE)


def test_number_of_workers_and_order_change_nothing(tmp_path: Path) -> None:
    draw_scenes(tmp_path / "one", make_config(), PALETTE, num_workers=1)
    draw_scenes(tmp_path / "many", make_config(), PALETTE, num_workers=5)
    draw_scenes(tmp_path / "grown", make_config(num=1, num_photos=0), PALETTE)
    draw_scenes(tmp_path / "grown", make_config(), PALETTE)
    assert contents(tmp_path / "one") == contents(tmp_path / "many") == contents(tmp_path / "grown")


def test_what_is_there_is_not_drawn_again_and_what_is_missing_is(tmp_path: Path) -> None:
    draw_scenes(tmp_path, make_config(), PALETTE)
    before = contents(tmp_path)
    kept, lost = tmp_path / "segTrain/scene-000000.png", tmp_path / "segTrain/scene-000001.png"
    lost.unlink()
    (tmp_path / "meta/scene-000001.yaml").unlink()
    time = kept.stat().st_mtime_ns
    draw_scenes(tmp_path, make_config(), PALETTE)
    assert contents(tmp_path) == before
    assert kept.stat().st_mtime_ns == time


@pytest.mark.parametrize(
    "values,reason",
    [({"seed": 1}, "seed was 0, now 1"), ({"num": 3}, "num was 4, now 3"), ({"lens": "fisheye"}, "lens was")],
)
def test_scenes_of_another_config_are_refused_unless_overwritten(
    tmp_path: Path, values: dict[str, object], reason: str
) -> None:
    draw_scenes(tmp_path / "a", make_config(), PALETTE)
    with pytest.raises(SceneError, match=rf"^{tmp_path / 'a'} .*{reason}.*another run_dir .*or remove"):
        draw_scenes(tmp_path / "a", make_config(**values), PALETTE)
    assert reason in other_scenes(tmp_path / "a", make_config(**values), PALETTE)
    draw_scenes(tmp_path / "a", make_config(**values), PALETTE, overwrite=True)
    draw_scenes(tmp_path / "b", make_config(**values), PALETTE)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_another_palette_is_refused(tmp_path: Path) -> None:
    draw_scenes(tmp_path, make_config(), PALETTE)
    other = PALETTE.model_copy(update={"classes": PALETTE.classes[::-1]})
    with pytest.raises(SceneError, match="another palette"):
        draw_scenes(tmp_path, make_config(), other)


def test_the_record_of_the_scenes_is_written_when_it_changes_only(tmp_path: Path) -> None:
    record = tmp_path / "scenes.json"
    draw_scenes(tmp_path, make_config(num=1), PALETTE)
    before, inode = record.read_bytes(), record.stat().st_ino
    draw_scenes(tmp_path, make_config(num=1), PALETTE)
    draw_scenes(tmp_path, make_config(num=1), PALETTE, overwrite=True)
    assert record.stat().st_ino == inode
    draw_scenes(tmp_path, make_config(num=2), PALETTE)
    assert record.read_bytes() != before


def test_checking_writes_nothing_and_lets_more_scenes_pass(tmp_path: Path) -> None:
    assert other_scenes(tmp_path / "none", make_config(), PALETTE) is None
    assert list(tmp_path.iterdir()) == []
    draw_scenes(tmp_path / "some", make_config(num=1), PALETTE)
    assert other_scenes(tmp_path / "some", make_config(), PALETTE) is None
    for damaged in ("", "[]", "null"):
        (tmp_path / "some" / "scenes.json").write_text(damaged)
        assert "another drawing number" in other_scenes(tmp_path / "some", make_config(), PALETTE)


def test_a_palette_without_a_field_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    streets = Palette(name="streets", classes=PALETTE.classes[:4])
    with pytest.raises(SceneError, match="no class 'field'"):
        draw_scenes(tmp_path / "out", make_config(), streets)
    assert not (tmp_path / "out").exists()
